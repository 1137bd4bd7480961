"""Those who step one network: ours, autograd with torch.optim.SGD, eager and compiled, and BioTorch.

All get the same batch, which lies on the device; all return the loss as a number, so that a step has ended when it
returns. Each is built with the strongest settings that we know of: channels-last, fused SGD, and with torch.compile
model and optimizer both compiled (CUDA graphs on CUDA).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from math import prod

import numpy as np
import torch

from ..circuits.declarations import Consolidation
from ..circuits.errors import CounterstreamError, suggest
from ..engine.backends.torch.engine import torch_device
from ..engine.backends.torch.precision import PRECISIONS, products_in_tf32
from ..engine.compiler.circuit_cost import parameters
from ..engine.compiler.compile import compile_circuit
from ..engine.simulator import Simulator, compile
from ..models.exchange import to_torch
from .plan import BenchError, Plan, input_shape, output_size

SGD = Consolidation(rate=0.01, momentum=0.9)


class Unavailable(CounterstreamError):
    """A contender that cannot take part here, and why."""


@dataclass(frozen=True)
class Contender:
    """`step` trains on the batch once and returns the loss. `held`: bytes of weights and traces that it had before."""

    name: str
    what: str
    step: Callable[[], float]
    held: int


@dataclass(frozen=True)
class Batch:
    """The one batch of a benchmark: images on the device, classes there and here."""

    images: torch.Tensor
    labels: torch.Tensor
    classes: np.ndarray


def batch_of(plan: Plan) -> Batch:
    circuit, device = plan.load(plan.learning[0]), torch_device(plan.device)
    random = np.random.default_rng(0)
    wide = PRECISIONS[_known(plan.dtype)].master
    images = torch.tensor(random.standard_normal((plan.batch, *input_shape(circuit))), dtype=wide, device=device)
    classes = random.integers(0, output_size(circuit), plan.batch)
    return Batch(_channels_last(images), torch.tensor(classes, device=device), classes)


def contender(plan: Plan, name: str, batch: Batch) -> Contender:
    """Build one by its name. Raises Unavailable."""
    system, slash, engine = name.partition("/")
    if slash:
        return _ours(plan, system, engine, batch)
    return {"autograd": _autograd, "compiled": _compiled, "biotorch": _biotorch}[name](plan, batch)


# ---- ours


def _ours(plan: Plan, system: str, engine: str, batch: Batch) -> Contender:
    sim = _simulator(plan, system, engine)
    held = sum(value.nbytes for value in sim.state_dict().values())
    step = lambda: sim.step(batch.images, batch.classes)["loss"]  # noqa: E731
    return Contender(f"{system}/{engine}", f"counterstream, {system}, engine {engine}, in place", step, held)


def _simulator(plan: Plan, system: str, engine: str) -> Simulator:
    return compile(
        plan.load(system), engine=engine, dtype=plan.dtype, device=plan.device, consolidation=SGD, in_place=True
    )


# ---- plain PyTorch


def _autograd(plan: Plan, batch: Batch) -> Contender:
    module, what = _module(plan)
    return _trained("autograd", f"{what}, autograd, fused SGD, eager", module, plan, batch)


def _compiled(plan: Plan, batch: Batch) -> Contender:
    module, what = _module(plan)
    mode = "reduce-overhead" if torch_device(plan.device).type == "cuda" else "default"
    how = f"{what}, torch.compile(mode='{mode}') of model and SGD"
    return _trained("compiled", how, module, plan, batch, mode=mode)


def _biotorch(plan: Plan, batch: Batch) -> Contender:
    if find_spec("biotorch") is None:
        raise Unavailable("BioTorch is not installed: pip install biotorch")
    module, what = _module(plan)
    converted = import_module("biotorch.module.biomodule").BioModule(module=module, mode="fa")
    return _trained("biotorch", f"{what} as BioTorch's feedback alignment, fused SGD, eager", converted, plan, batch)


def _module(plan: Plan) -> tuple[torch.nn.Module, str]:
    """The network as plain PyTorch knows it: torchvision's own where the circuit bears the name of one and has its
    parameters, else the module that `to_torch` makes of the circuit; and which it is."""
    system = plan.learning[0]
    circuit, precision = plan.load(system), PRECISIONS[plan.dtype]
    sim = compile(circuit, dtype=str(precision.master).removeprefix("torch."))
    module, what = _torchvision(plan.circuit, output_size(circuit)), f"torchvision.models.{plan.circuit}"
    if module is None or _size(module) != parameters(sim.compiled).forward:
        module, what = to_torch(sim), "counterstream.to_torch"
    module.to(torch_device(plan.device), precision.master)
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, unused-ignore]
    return module.train(), what


def _torchvision(name: str, classes: int) -> torch.nn.Module | None:
    if find_spec("torchvision") is None:
        return None
    build = getattr(import_module("torchvision.models"), name, None) if name.startswith("resnet") else None
    return None if build is None else build(num_classes=classes)


def _size(module: torch.nn.Module) -> int:
    return sum(prod(parameter.shape) for parameter in module.parameters())


def _trained(
    name: str, what: str, module: torch.nn.Module, plan: Plan, batch: Batch, *, mode: str | None = None
) -> Contender:
    optimizer = _sgd(plan, module, fused=mode is None)
    forward = module if mode is None else torch.compile(module, mode=mode)
    update = optimizer.step if mode is None else torch.compile(optimizer.step)
    settings = _settings(plan)

    def step() -> float:
        with settings():
            with _narrowed(plan):
                answer = forward(batch.images)
            loss = torch.nn.functional.cross_entropy(answer.to(PRECISIONS[plan.dtype].master), batch.labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            update()
            return float(loss.detach())

    held = sum(one.nbytes for one in (*module.parameters(), *module.buffers()))
    return Contender(name, what, step, held)


def _sgd(plan: Plan, module: torch.nn.Module, *, fused: bool) -> torch.optim.SGD:
    """With the circuit's decay: weights decay, gains and biases do not."""
    modes = compile_circuit(plan.load(plan.learning[0])).modes.values()
    decay = max((learner.decay for programs in modes for learner in programs.learners), default=0.0)
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [
        {"params": [one for one in learning if one.ndim > 1], "weight_decay": decay},
        {"params": [one for one in learning if one.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=SGD.rate, momentum=SGD.momentum, fused=fused)


def _narrowed(plan: Plan) -> AbstractContextManager[object]:
    device = torch_device(plan.device).type
    return torch.autocast(device, torch.bfloat16, enabled=PRECISIONS[plan.dtype].compute == torch.bfloat16)


def _settings(plan: Plan) -> Callable[[], AbstractContextManager[None]]:
    """The same TF32 for plain PyTorch as the engines give themselves."""

    @contextmanager
    def settings() -> Iterator[None]:
        with ExitStack() as stack:
            if torch_device(plan.device).type == "cuda":
                stack.enter_context(products_in_tf32(PRECISIONS[plan.dtype].tf32))
            yield

    return settings


def _channels_last(images: torch.Tensor) -> torch.Tensor:
    return images.contiguous(memory_format=torch.channels_last) if images.ndim == 4 else images


def _known(dtype: str) -> str:
    if dtype not in PRECISIONS:
        raise BenchError(f"unknown number format '{dtype}'. {suggest(dtype, PRECISIONS, 'number formats')}")
    return dtype
