"""Runs lowered programs eagerly, on a CPU or a CUDA device."""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import fx

from ....circuits.errors import suggest
from ...compiler.program import Program
from ..base import Binding, Engine, EngineError, Kind
from ..noise import generator_seed, known_distribution
from . import elementwise, populations, whole
from . import wirings as laid  # `wirings` is an attribute of engines
from .lowering import Lowering, part
from .precision import PRECISIONS, products_in_tf32


class TorchExecutable:
    """A program as a function. `module` is its graph, for whoever wants to print or to compile it further.

    `settings` is entered around each call: process-wide settings of torch that hold for this call only.
    """

    def __init__(
        self, program: Program, module: fx.GraphModule, settings: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self.module = module
        self._settings = settings
        self._bind: Binding[torch.Tensor] = Binding(program)
        self._results = tuple(program.results)

    def __call__(self, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        with torch.no_grad(), self._settings():
            return dict(zip(self._results, self.module(*self._bind(inputs)), strict=True))


class TorchEngine(Engine[torch.Tensor]):
    """PyTorch without autograd, eagerly.

    Maps and kernels are kept channels-last, which convolutions like best (a step of small residual nets on
    two CPU cores: 0.89 of the time in float32, 0.6 in float64). `device`: `cpu`, `cuda`, `cuda:1`, or `auto`,
    which is CUDA where there is one. Process-wide settings of torch (cudnn.benchmark, deterministic
    algorithms, threads) stay as they are and hold here too, but for TF32: the dtype alone decides about it.

    Besides `float32` and `float64` there are two formats for speed (see `precision`). `bfloat16`: activity and errors
    of a batch, and copies of the weights for its products, in bfloat16; all else in float32. `tf32`, on CUDA only:
    float32 whose products are taken in TF32.
    """

    name: ClassVar[str] = "torch"
    dtypes: ClassVar[tuple[str, ...]] = tuple(PRECISIONS)
    wirings: ClassVar[frozenset[str]] = laid.WIRINGS
    functions: ClassVar[Mapping[str, frozenset[str]]] = {
        "transfer": frozenset(populations.TRANSFERS),
        "gate": frozenset(populations.GATES),
        "error": frozenset(populations.ANSWERS),
        "loss": frozenset(populations.LOSSES),
        "function": frozenset(elementwise.FUNCTIONS),
    }
    _rules: ClassVar = {**laid.RULES, **populations.RULES, **elementwise.RULES, **whole.RULES, "part": part}
    operations: ClassVar[frozenset[str]] = frozenset({*_rules, "input", "across"})
    announces: ClassVar[bool] = True

    def __init__(self, *, dtype: str | None = None, device: str = "cpu") -> None:
        super().__init__(dtype=dtype, device=device)
        self._device = torch_device(device)
        self.device = str(self._device)
        self._precision = PRECISIONS[self.dtype]
        if self.dtype not in self.dtypes_on(device):
            raise EngineError(
                f"engine '{self.name}': dtype 'tf32' must be on a CUDA device (got {device!r}). Use dtype='float32'."
            )

    @classmethod
    def dtypes_on(cls, device: str) -> tuple[str, ...]:
        is_cuda = torch_device(device).type == "cuda"
        return tuple(name for name, precision in PRECISIONS.items() if is_cuda or not precision.tf32)

    def lower(self, program: Program, donated: frozenset[str] = frozenset()) -> TorchExecutable:
        return TorchExecutable(program, self._lowering(program).module(donated), self._settings)

    def lower_announcing(self, program: Program, announce: Callable[[str, torch.Tensor], Any]) -> TorchExecutable:
        def announced(name: str, result: torch.Tensor) -> Any:  # a graph calls functions, by their names
            return announce(name, result)

        return TorchExecutable(program, self._lowering(program).module(announce=announced), self._settings)

    def _lowering(self, program: Program) -> Lowering:
        def across(x: torch.Tensor) -> torch.Tensor:
            return self.across(x)

        rules = {**self._rules, "across": lambda low, value, x: low.call(across, x)}
        return Lowering(program, rules, self._precision, self._device)

    def _settings(self) -> AbstractContextManager[None]:
        return products_in_tf32(self._precision.tf32) if self._device.type == "cuda" else nullcontext()

    def array(self, value: NDArray[Any] | torch.Tensor, kind: Kind = "float") -> torch.Tensor:
        if isinstance(value, np.ndarray) and not value.flags.writeable:
            value = value.copy()  # tensors cannot be read-only
        dtype = self._precision.master if kind == "float" else torch.int64
        tensor = torch.as_tensor(value, dtype=dtype, device=self._device)
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor

    def numpy(self, value: torch.Tensor) -> NDArray[Any]:
        return np.array(self.view(value), order="C")

    def view(self, value: torch.Tensor) -> NDArray[Any]:
        if value.is_floating_point():  # NumPy has no bfloat16
            value = value.to(self._precision.master)
        return value.detach().cpu().numpy()

    def noise(self, distribution: str, shape: tuple[int, ...], seed: tuple[int, ...]) -> torch.Tensor:
        random = torch.Generator(self._device).manual_seed(generator_seed(seed))
        options: dict[str, Any] = {"generator": random, "dtype": self._precision.master, "device": self._device}
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
