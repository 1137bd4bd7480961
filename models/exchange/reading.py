"""From torch: a module becomes a circuit with its weights."""

from collections.abc import Sequence
from operator import index

from torch import nn

from ...circuits.declarations import Circuit, LearningSystem
from ...circuits.errors import Location, Problem, suggest
from ...circuits.wiring import Shape
from ..builder import Builder
from .calls import LOSSES, Loss, Reader
from .cells import Cell, unique
from .errors import ExchangeError
from .network import Network, as_array
from .tracing import Traced, trace


def from_torch(
    module: nn.Module,
    input_shape: Sequence[int],
    *,
    learning: str | LearningSystem | None = "backprop",
    loss: Loss | None = "cross_entropy",
    name: str | None = None,
) -> Network:
    """A module as a circuit, with its weights and statistics.

    `input_shape` is that of one sample, [channels, height, width] or [features]. The last layer becomes the output:
    with `cross_entropy` its transfer function is softmax (a softmax that the module ends with is that one), with
    `binary_cross_entropy` sigmoid, with `squared` what the module says; without a loss, which needs `learning=None`,
    the circuit has no output. The module is traced as it stands, in its present mode of training or evaluation, which
    functional dropout and branches on `self.training` follow.

    Projections bear the qualified names of their layers (layer1.0.conv1). A population is a sum of projections with the
    normalization, transfer function and dropout that follow it, and bears the name of what opens it, numbers joined to
    the name before them (layer1_0.conv1). Parameters with `requires_grad=False` do not learn.

    Raises ExchangeError with everything in the module that a circuit cannot say, each with its place.
    """
    if not isinstance(module, nn.Module):
        raise ExchangeError(Problem(f"from_torch takes a torch.nn.Module (got {type(module).__name__})"))
    title = name or type(module).__name__
    _check_loss(loss, learning, title)
    traced = trace(module)
    reader = Reader(traced, _sample_shape(input_shape, title), loss)
    reader.read()
    reader.end()
    reader.stop_if_wrong()
    circuit = _build(reader.growth.cells, title, learning)
    names, absorbed = _names(reader.growth.cells, traced)
    state = module.state_dict()
    entries = {key: as_array(value) for key, value in state.items()}
    return Network(circuit, names, entries, absorbed, _shared(module), getattr(state, "_metadata", None))


def _shared(module: nn.Module) -> dict[str, str]:
    """Key -> the first key of the same tensor."""
    first: dict[int, str] = {}
    keys = {key: first.setdefault(id(tensor), key) for key, tensor in module.state_dict(keep_vars=True).items()}
    return {key: other for key, other in keys.items() if key != other}


def _check_loss(loss: Loss | None, learning: str | LearningSystem | None, title: str) -> None:
    """Raises ExchangeError for a loss that there is not, and for learning without any."""
    if loss is not None and loss not in LOSSES:
        message = f"unknown loss '{loss}'. {suggest(str(loss), LOSSES, 'losses')}, or None"
        raise ExchangeError(Problem(message, location=Location(title)))
    if loss is None and learning is not None:
        message = "without a loss there is no output, and nothing to learn from: say learning=None, or give a loss"
        raise ExchangeError(Problem(message, location=Location(title)))


def _sample_shape(given: Sequence[int], title: str) -> Shape:
    try:
        shape = tuple(index(side) for side in given)
    except TypeError:  # no sequence, or not of whole numbers
        shape = ()
    if len(shape) not in (1, 3) or min(shape) < 1:
        shown = list(given) if isinstance(given, tuple | list) else repr(given)
        raise ExchangeError(
            Problem(
                "input_shape is that of one sample, [channels, height, width] or [features], in whole numbers from 1 "
                f"(got {shown})",
                location=Location(title),
            )
        )
    return shape


def _build(cells: list[Cell], title: str, learning: str | LearningSystem | None) -> Circuit:
    net = Builder(title, f"{title}, as torch has it.")
    for cell in cells:
        net.population(cell.name, **cell.declared, **_bias(cell))
    labels = {afferent.name for cell in cells for afferent in cell.afferents if afferent.name}
    for cell in cells:
        for afferent in cell.afferents:
            arrow = f"{afferent.source.name}->{cell.name}"
            name = afferent.name or (label if (label := unique(arrow, labels)) != arrow else None)
            net.project(afferent.source.name, cell.name, afferent.wiring, name=name, **afferent.declared)
    return net.circuit(learning)


def _bias(cell: Cell) -> dict[str, bool]:
    """`bias`, where the default says something else than the module."""
    if "normalize" in cell.declared or "input" in cell.declared:
        return {}
    has = "bias" in cell.keys
    weighted = any(afferent.wiring.weighted for afferent in cell.afferents)
    answers = cell.declared.get("transfer", "linear") != "linear" or "loss" in cell.declared
    return {} if has == (weighted and answers) else {"bias": has}


def _names(cells: list[Cell], traced: Traced) -> tuple[dict[str, str], dict[str, str]]:
    """State name -> key, and running mean -> key of the bias that is part of it."""
    names: dict[str, str] = {}
    absorbed: dict[str, str] = {}
    for cell in cells:
        names |= {f"weights/{a.name}": traced.key(a.key) for a in cell.afferents if a.key}
        names |= {f"{kind}/{cell.name}": traced.key(key) for kind, key in cell.keys.items()}
        if cell.absorbed:
            absorbed[f"running_mean/{cell.name}"] = traced.key(cell.absorbed)
    return names, absorbed
