"""From a program to a `torch.fx.GraphModule`: the walk. What each operation becomes stands in the tables it
is given."""

import operator
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

import torch
from torch import fx

from ...compiler.program import Program, Value
from .placing import place
from .precision import Precision

aten = torch.ops.aten
Nodes: TypeAlias = fx.Node | tuple[fx.Node, ...]  # a tuple for operations with several results
Rule: TypeAlias = Callable[..., Nodes]  # (lowering, value, *operands) -> what computes the value


class Lowering:
    """One program on its way to one graph.

    All calls are pure, so equal calls are made once: that is how a max pool and its way back share the window
    maxima's places. Calls that nothing reads in the end, such as a product that was fused into a sum, are
    dropped.
    """

    def __init__(self, program: Program, rules: Mapping[str, Rule], precision: Precision, device: torch.device) -> None:
        self.program = program
        self.precision = precision
        self.formats = precision.formats(program)
        self.device = device
        self.index = 0  # of the value being lowered
        self.nodes: list[Any] = []  # of type Nodes; which of the two, the operation says
        self._rules = rules
        self._graph = fx.Graph()
        self._made: dict[Any, fx.Node] = {}
        self.readers: dict[int, list[int]] = {index: [] for index in range(len(program))}
        for index, value in enumerate(program):
            for operand in value.inputs:
                self.readers[operand].append(index)
        self._results = frozenset(program.results.values())

    def module(
        self,
        donated: Collection[str] = (),
        *,
        fused: bool = True,
        announce: Callable[[str, torch.Tensor], Any] | None = None,
    ) -> fx.GraphModule:
        """Takes the inputs by position, in the order of `program.inputs`, and returns the results in theirs.

        Results that bear the names of `donated` inputs end in the memory of these (see `placing`). `announce` is called
        with each result as soon as it is known, and what it gives returned in its place.
        """
        announced: dict[str, fx.Node] = {}
        placeholders = {
            name: self._graph.placeholder(f"i{position}_{_identifier(name)}")
            for position, name in enumerate(self.program.inputs)
        }
        for position, value in enumerate(self.program):
            self.index = position
            if value.operation == "input":
                self.nodes.append(placeholders[value["name"]])
            else:
                operands = [self.operand(value, index) for index in value.inputs]
                self.nodes.append(self._rules[value.operation](self, value, *operands))
            node = self.nodes[position]
            if isinstance(node, fx.Node) and not value.batched:
                node.meta["shape"] = value.shape
            if announce is not None and position in self._results:
                names = [name for name, index in self.program.results.items() if index == position]
                announced |= {name: self._graph.call_function(announce, (name, node)) for name in names}
        results = self.program.results
        output = self._graph.output(tuple(announced.get(name, self.nodes[index]) for name, index in results.items()))
        self._graph.eliminate_dead_code()
        homes = {name: placeholders[name] for name in results if name in donated}
        place(self._graph, [(self.nodes[results[name]], home) for name, home in homes.items()], fused=fused)
        ends = {name: self.nodes[index] for name, index in results.items()} | homes | announced
        output.args = (tuple(ends[name] for name in results),)
        self._graph.lint()
        return fx.GraphModule(torch.nn.Module(), self._graph, class_name=_identifier(self.program.name))

    def call(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> fx.Node:
        """The node that calls `target`; the one that is there already if the same call was made before."""
        key = (target, _frozen(args), _frozen(kwargs))
        if key not in self._made:
            self._made[key] = self._graph.call_function(target, args, kwargs)
        return self._made[key]

    def operand(self, value: Value, index: int) -> Any:
        """What computes value number `index`, in the format in which `value`, one of its readers, takes it."""
        node, own = self.nodes[index], self.formats[index]
        return self.cast(node, own, self.precision.wanted(value, self.format, self.program.values[index], own))

    @property
    def format(self) -> torch.dtype:
        """The number format of the value being lowered."""
        return self.formats[self.index]

    def cast(self, node: Any, own: torch.dtype, wanted: torch.dtype) -> Any:
        """A node that lies in format `own`, in the format `wanted`; the node itself where they are one."""
        return node if own == wanted else self.call(aten._to_copy.default, node, dtype=wanted)

    def item(self, node: fx.Node, index: int) -> fx.Node:
        """One result of a call that has several."""
        return self.call(operator.getitem, node, index)

    def batch(self, node: fx.Node) -> fx.Node:
        """The size of the batch, read at run time."""
        return self.call(aten.sym_size.int, node, 0)

    def mean_of_sum(self, total: fx.Node, batched: fx.Node) -> fx.Node:
        """A sum over samples, divided by the number of samples in `batched`."""
        return self.call(torch.div, total, self.batch(batched))

    def stand_in(self, shape: list[Any]) -> fx.Node:
        """A tensor of which only the shape will be read, laid out so that nobody copies it into another layout."""
        layout = torch.channels_last if len(shape) == 4 else torch.contiguous_format
        how = {"dtype": self.precision.compute, "device": self.device, "memory_format": layout}
        return self.call(aten.empty.memory_format, shape, **how)

    def reshape(self, node: fx.Node, *shape: Any) -> fx.Node:
        return self.call(torch.reshape, node, list(shape))

    def read_once(self, index: int) -> bool:
        """Whether only one operation reads a value, so that fusing it into that one repeats no work."""
        return len(self.readers[index]) == 1 and index not in self._results

    def parts_read(self) -> frozenset[int]:
        """Which results of the value being lowered are read by anything."""
        return frozenset(self.program.values[reader]["index"] for reader in self.readers[self.index])


def part(lowering: Lowering, value: Value, whole: tuple[fx.Node, ...]) -> fx.Node:
    return whole[value["index"]]


def _identifier(name: str) -> str:
    """Letters, digits and underscores only. Names of populations and projections hold `~`, `->` and dots."""
    return re.sub(r"\W+", "_", name).strip("_") or "program"


def _frozen(argument: Any) -> Any:
    """A hashable equal of lists and dicts; ints, floats and bools that are equal stay apart."""
    if isinstance(argument, (list, tuple)):
        return tuple(_frozen(part) for part in argument)
    if isinstance(argument, dict):
        return tuple((key, _frozen(part)) for key, part in sorted(argument.items()))
    return argument if isinstance(argument, fx.Node) else (type(argument), argument)
