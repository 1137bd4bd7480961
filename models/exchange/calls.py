"""The calls of a traced module, one after the other: what they mean in a circuit, and what cannot be said."""

import operator
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from torch import fx, nn

from ...circuits.errors import Problem
from ...circuits.wiring import OneToOne, Shape
from . import operations, structure
from .cells import Afferent, Cell, Growth, Signal, Stage
from .errors import ExchangeError
from .layers import SOFTMAX, Bias, Layer, Normalize, Refusal, Softmax, Synapses
from .modules import read_layer
from .tracing import Traced, scope

Loss = Literal["cross_entropy", "squared", "binary_cross_entropy"]
LOSSES: tuple[str, ...] = get_args(Loss)
SHOWN = 3
"""Places that are listed where many calls are wrong in the same way."""
UNKNOWN = object()
"""The value of a call that was refused: what reads it is judged by itself."""


class Reader:
    """Walks through the calls of a module, in their order."""

    def __init__(self, traced: Traced, shape: Shape, loss: Loss | None) -> None:
        self.traced = traced
        self.shape = shape
        self.loss = loss
        self.growth = Growth()
        self.values: dict[fx.Node, Any] = {}
        self.problems: list[Problem] = []
        self._result: fx.Node | None = None
        self._labels: dict[str, str] = {}
        """Layer with weights -> its projection."""
        self._owners: dict[int, str] = {}
        """Parameter -> the layer that has it."""

    def read(self) -> None:
        for node in self.traced.graph.nodes:
            try:
                self.values[node] = self._value(node)
            except Refusal as refusal:
                self.problems.append(self.traced.problem(node, str(refusal)))
                self.values[node] = UNKNOWN

    def stop_if_wrong(self) -> None:
        if self.problems:
            raise ExchangeError(_grouped(self.problems))

    # ---- calls

    def _value(self, node: fx.Node) -> Any:
        match node.op:
            case "placeholder":
                return self._input(node)
            case "get_attr":
                raise Refusal(
                    "a parameter or buffer is read outside of a layer: only layers that a circuit knows hold them"
                )
            case "output":
                self._result = node
                return None
            case "call_module":
                return self._call_layer(node)
            case _:
                return self._call(node)

    def _input(self, node: fx.Node) -> Any:
        if self.growth.cells:
            if not node.users:
                return None
            raise Refusal(f"one input comes in (got a second, '{node.target}'): bring in the part with one input")
        cell = self.growth.open(str(node.target), self.shape, stage=Stage.SOURCE)
        cell.declared["input"] = list(self.shape)
        return Signal(cell)

    def _call_layer(self, node: fx.Node) -> Any:
        path = str(node.target)
        module = self.traced.module.get_submodule(path)
        layer = self._own(path, module, read_layer(module))
        if len(node.args) != 1 or node.kwargs:
            raise Refusal("a layer reads one activity")
        signal = self._read(node.args[0])
        result = self._lay(layer, signal, path, node)
        if isinstance(layer, Synapses) and isinstance(result, Signal):
            self._labels.setdefault(path, str(result.cell.afferents[0].name))
        return result

    def _own(self, path: str, module: nn.Module, layer: Layer) -> Layer:
        """A layer that is called again shares its weights; biases and statistics cannot be shared."""
        for name, parameter in module.named_parameters():
            owner = self._owners.setdefault(id(parameter), path)
            if owner != path:
                raise Refusal(
                    f"its '{name}' is that of '{owner}': call one layer twice in place of two with one weight"
                )
        if path not in self._labels:
            if isinstance(layer, Normalize | Bias):
                self._labels[path] = path
            return layer
        if isinstance(layer, Synapses) and not layer.biased:
            return replace(layer, tied_to=self._labels[path])
        if isinstance(layer, Synapses | Normalize | Bias):
            raise Refusal("it is called twice: weights can be shared, biases and running statistics cannot")
        return layer

    def _call(self, node: fx.Node) -> Any:
        """A function, or a method: of shapes, of several activities, or of one."""
        target: Any = node.target
        if target is getattr or target == "size":
            return self._shape_query(node)
        if target is operator.getitem and not isinstance(self.values.get(node.args[0]), Signal):  # type: ignore[arg-type]
            return self._item(node)
        if target in operations.ARITHMETIC and all(map(structure.is_size, sizes := self._resolved(node.args))):
            return structure.calculate(target, sizes)
        path = ".".join(part for part in (scope(node), _word(target)) if part)
        if target in operations.ADDITIONS:
            return self._add(node, path)
        if target in operations.CONCATENATIONS:
            return self._concatenate(node, path)
        return self._call_on_one(node, path)

    def _item(self, node: fx.Node) -> Any:
        """A side of a shape."""
        whole, index = self._resolved(node.args)
        if whole is structure.UNSIZED:
            return whole
        return whole[index] if isinstance(whole, tuple) and isinstance(index, int | slice) else UNKNOWN

    def _call_on_one(self, node: fx.Node, path: str) -> Any:
        """A view, some channels, or a layer in other words."""
        target: Any = node.target
        first, *others = self._resolved(node.args, read=True)
        if target in operations.RESHAPES:
            unsized = structure.UNSIZED in others
            return UNKNOWN if first is UNKNOWN or unsized else structure.reshape(first, others)
        if target is operator.getitem:
            return UNKNOWN if first is UNKNOWN else structure.pick(self.growth, first, others[0], path)
        known = operations.METHODS if node.op == "call_method" else operations.FUNCTIONS
        if target not in known:
            raise operations.unknown(target)
        try:
            layer = known[target](*others, **{key: self._resolved(value) for key, value in node.kwargs.items()})
        except TypeError:
            raise Refusal(f"'{operations.operation_name(target)}' has arguments that cannot be said") from None
        return self._lay(layer, first, path, node)

    def _lay(self, layer: Layer, signal: Any, path: str, node: fx.Node) -> Any:
        if isinstance(layer, Softmax) and not self._answers(node):
            raise Refusal(f"Softmax cannot be said: {SOFTMAX}")
        if not isinstance(signal, Signal):
            return UNKNOWN
        return layer.lay(self.growth, signal, path)

    def _answers(self, node: fx.Node) -> bool:
        """Whether a call is the last one, and softmax what the output does by itself."""
        return self.loss == "cross_entropy" and all(user.op == "output" for user in node.users)

    def _add(self, node: fx.Node, path: str) -> Any:
        if node.kwargs.get("alpha", 1) != 1:
            raise Refusal(f"terms of a sum have no factors (got alpha={node.kwargs['alpha']})")
        given = node.args if len(node.args) > 1 else (*node.args, node.kwargs.get("other"))
        terms = self._resolved(given, read=True)
        return UNKNOWN if UNKNOWN in terms else structure.add(self.growth, terms, path)

    def _concatenate(self, node: fx.Node, path: str) -> Any:
        terms = self._resolved(node.args[0] if node.args else node.kwargs["tensors"], read=True)
        dim = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)
        if any(not isinstance(term, Signal) for term in terms):
            return UNKNOWN
        return structure.concatenate(self.growth, terms, int(dim), path)  # type: ignore[arg-type]

    def _shape_query(self, node: fx.Node) -> Any:
        subject, *others = self._resolved(node.args)
        if not isinstance(subject, Signal):
            return structure.UNSIZED
        if node.target == "size":
            return structure.size(subject, *others, *self._resolved(tuple(node.kwargs.values())))
        if others != ["shape"]:
            raise operations.unknown(str(others[0]))
        return structure.size(subject)

    # ---- values

    def _resolved(self, argument: Any, *, read: bool = False) -> Any:
        """An argument with values in the place of nodes; `read` where activities in it are really read."""
        if isinstance(argument, fx.Node):
            return self._read(argument) if read else self.values[argument]
        if isinstance(argument, tuple | list):
            resolved = (self._resolved(each, read=read) for each in argument)
            return tuple(resolved) if isinstance(argument, tuple) else list(resolved)
        return argument

    def _read(self, argument: Any) -> Any:
        """The value of a node, and whether this call is its only reader."""
        value = self.values[argument] if isinstance(argument, fx.Node) else argument
        if not isinstance(value, Signal):
            return value
        readers = [user for user in argument.users if user.target not in (getattr, "size")]
        return replace(value, sole=value.sole and len(readers) == 1)

    # ---- the output

    def end(self) -> None:
        """The population that the module returns becomes the output."""
        assert self._result is not None
        argument = self._result.args[0]
        if not isinstance(argument, fx.Node):
            self._complain(
                f"one activity must come out (got a {type(argument).__name__}): leave the other outputs off "
                "(aux_logits=False, say), or bring in the part with one"
            )
            return
        signal = self._read(argument)
        if isinstance(signal, Signal):
            self._close(signal)
            self._check_biases()

    def _close(self, signal: Signal) -> None:
        cell = row = self.growth.row(signal, "output")
        if self.loss is None:
            return
        wanted = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(self.loss)
        if row is signal.cell and not (signal.sole and _can_answer(row, wanted)):
            cell = self.growth.open("output", row.shape, Afferent(row, OneToOne()))
        if wanted is not None:
            cell.declared["transfer"] = wanted
        if self.loss != "cross_entropy":
            cell.declared["loss"] = self.loss

    def _check_biases(self) -> None:
        for cell in self.growth.cells:
            if cell.frozen_bias:
                self._complain(
                    f"'{cell.keys['bias']}' does not learn, and outside of batch normalization every bias does: "
                    "say requires_grad_(True)"
                )

    def _complain(self, message: str) -> None:
        assert self._result is not None
        self.problems.append(self.traced.problem(self._result, message))


def _can_answer(cell: Cell, transfer: str | None) -> bool:
    """Whether a population may be the output itself."""
    if transfer is None:
        return cell.stage < Stage.DROPPED
    return cell.stage < Stage.TRANSFERRED or (cell.stage == Stage.TRANSFERRED and cell.declared["transfer"] == transfer)


def _word(target: Any) -> str:
    """The last part of a population's name, for what opens one without being a layer."""
    name = operations.operation_name(target).strip("_")
    return {"iadd": "sum", "add": "sum", "concat": "cat", "concatenate": "cat", "getitem": "part"}.get(name, name)


def _grouped(problems: Sequence[Problem]) -> Iterator[Problem]:
    """One problem for all places where the same thing is wrong, as in every block of a network."""
    places: dict[str, list[Problem]] = {}
    for problem in problems:
        places.setdefault(problem.message, []).append(problem)
    for message, (first, *others) in places.items():
        more = list(dict.fromkeys(problem.path for problem in others if problem.path != first.path))
        listed = ", ".join(more[:SHOWN]) + (f" and {len(more) - SHOWN} more" if len(more) > SHOWN else "")
        yield replace(first, message=f"{message}. The same in {listed}") if more else first
