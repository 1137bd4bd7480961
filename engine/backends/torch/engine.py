"""Runs lowered programs eagerly, on a CPU or a CUDA device."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import fx

from ....circuits.errors import suggest
from ...compiler.program import Program
from ..base import Binding, Engine, EngineError, Kind
from ..noise import generator_seed, known_distribution
from . import elementwise, populations
from . import wirings as laid  # `wirings` is an attribute of engines
from .lowering import Lowering, part

_DTYPES = {"float32": torch.float32, "float64": torch.float64}


class TorchExecutable:
    """A program as a function. `module` is its graph, for whoever wants to print or to compile it further."""

    def __init__(self, program: Program, module: fx.GraphModule) -> None:
        self.module = module
        self._bind: Binding[torch.Tensor] = Binding(program)
        self._results = tuple(program.results)

    def __call__(self, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        with torch.no_grad():
            return dict(zip(self._results, self.module(*self._bind(inputs)), strict=True))


class TorchEngine(Engine[torch.Tensor]):
    """PyTorch without autograd, eagerly.

    Maps and kernels are kept channels-last, which convolutions like best (a step of small residual nets on
    two CPU cores: 0.89 of the time in float32, 0.6 in float64). `device`: `cpu`, `cuda`, `cuda:1`, or `auto`,
    which is CUDA where there is one. Process-wide settings of torch (TF32, cudnn.benchmark, deterministic
    algorithms, threads) stay as they are.
    """

    name: ClassVar[str] = "torch"
    dtypes: ClassVar[tuple[str, ...]] = tuple(_DTYPES)
    wirings: ClassVar[frozenset[str]] = laid.WIRINGS
    functions: ClassVar[Mapping[str, frozenset[str]]] = {
        "transfer": frozenset(populations.TRANSFERS),
        "gate": frozenset(populations.GATES),
        "error": frozenset(populations.ANSWERS),
        "loss": frozenset(populations.LOSSES),
        "function": frozenset(elementwise.FUNCTIONS),
    }
    _rules: ClassVar = {**laid.RULES, **populations.RULES, **elementwise.RULES, "part": part}
    operations: ClassVar[frozenset[str]] = frozenset({*_rules, "input"})

    def __init__(self, *, dtype: str | None = None, device: str = "cpu") -> None:
        super().__init__(dtype=dtype, device=device)
        self._device = torch_device(device)
        self.device = str(self._device)
        self._dtype = _DTYPES[self.dtype]

    def lower(self, program: Program) -> TorchExecutable:
        return TorchExecutable(program, Lowering(program, self._rules, self._dtype, self._device).module())

    def array(self, value: NDArray[Any] | torch.Tensor, kind: Kind = "float") -> torch.Tensor:
        if isinstance(value, np.ndarray) and not value.flags.writeable:
            value = value.copy()  # tensors cannot be read-only
        dtype = self._dtype if kind == "float" else torch.int64
        tensor = torch.as_tensor(value, dtype=dtype, device=self._device)
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor

    def numpy(self, value: torch.Tensor) -> NDArray[Any]:
        return np.array(value.detach().cpu().numpy(), order="C")

    def noise(self, distribution: str, shape: tuple[int, ...], seed: tuple[int, ...]) -> torch.Tensor:
        random = torch.Generator(self._device).manual_seed(generator_seed(seed))
        options: dict[str, Any] = {"generator": random, "dtype": self._dtype, "device": self._device}
        match known_distribution(distribution):
            case "normal":
                drawn = torch.randn(shape, **options)
            case "uniform":
                drawn = (torch.rand(shape, **options) * 2 - 1) * 3**0.5
            case _:
                drawn = torch.randint(0, 2, shape, **options) * 2 - 1
        return self.array(drawn)


def torch_device(name: str) -> torch.device:
    """The device of this name. Raises EngineError where there is none such, here or at all."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise EngineError(
            f"engine 'torch': device must be a known one (got {name!r}). "
            f"{suggest(name, ('cpu', 'cuda', 'cuda:1', 'auto'), 'devices')}"
        )
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise EngineError(
            f"engine 'torch': device must be one of this machine's {torch.cuda.device_count()} CUDA devices "
            f"(got {name!r}). Use device='auto' or 'cpu'."
        )
    return device
