"""The outline of a circuit: its forward populations as a tree of blocks, in the order in which activity passes them.

Blocks are read off the names: `stage2.block1.hidden` stands in the block `stage2.block1`, which stands in `stage2`.
Blocks in a row that are alike fold into one node that stands for all of them (`folding.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..graph import Graph
from ..topology import CycleError, topological_order
from .folding import Folder


@dataclass(frozen=True)
class Node:
    """A population, or a block of them. The root is the block of everything, with an empty path."""

    path: str
    """The population's name, or the block's; of a fold, the first block's."""
    label: str
    """The name within the block around it."""
    population: str | None = None
    children: tuple["Node", ...] = ()
    instances: tuple[str, ...] = ()
    """Every name of the block, and of those that it stands for; () for a population and the root."""
    times: int = 1
    """How many blocks in a row it stands for."""

    @property
    def is_block(self) -> bool:
        return self.population is None

    @cached_property
    def populations(self) -> tuple[str, ...]:
        """The populations in it that are drawn, in order."""
        return tuple(node.population for node in self.walk() if node.population is not None)

    def walk(self) -> Iterator["Node"]:
        """Itself and everything below, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Outline:
    """The tree, and what stands in whose place."""

    graph: Graph
    root: Node
    stands_for: Mapping[str, str]
    """Forward population -> the population that is drawn for it: itself, or its counterpart in a fold's first block."""
    labels: tuple[str, ...]
    """The projections that are drawn: all but those of blocks that another one stands for."""

    @cached_property
    def blocks(self) -> Mapping[str, Node]:
        """Every name by which a block can be called, those of folded ones among them -> its node."""
        return {path: node for node in self.root.walk() for path in node.instances}

    @cached_property
    def above(self) -> Mapping[str, Node]:
        """Path of a node -> the block around it."""
        return {child.path: node for node in self.root.walk() for child in node.children}


def outline(graph: Graph) -> Outline:
    """The outline of a circuit without blocks."""
    maker = _Maker(graph)
    children = maker.children("", maker.forward)
    labels = tuple(label for label in graph.projections if maker.folder.owner(label) not in maker.stands_for)
    return Outline(graph, Node("", "", children=children), maker.everyone(), labels)


class _Maker:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.forward = graph.forward
        self.folder = Folder(graph)
        self.stands_for: dict[str, str] = {}
        self.next: dict[str, list[str]] = {name: [] for name in self.forward}
        for label, projection in graph.projections.items():
            if not graph.is_feedback(label):
                self.next[projection.source].append(projection.target)

    def everyone(self) -> dict[str, str]:
        """`stands_for` of every forward population: folds within folds followed to their end."""
        found = {}
        for name in self.forward:
            last = name
            while last in self.stands_for:
                last = self.stands_for[last]
            found[name] = last
        return found

    def children(self, prefix: str, populations: Sequence[str]) -> tuple[Node, ...]:
        """The nodes that the populations under a prefix make."""
        members: dict[str, list[str]] = {}
        for name in populations:
            head, dot, _ = name.removeprefix(prefix).partition(".")
            members.setdefault(f"{prefix}{head}" if dot else name, []).append(name)
        order = self._ordered(members)
        nodes = []
        for run in self._runs(order, members):
            first = run[0]
            if len(run) == len(members[first]) == 1:  # a block around one population says nothing more
                (name,) = members[first]
                nodes.append(Node(name, name.removeprefix(prefix), population=name))
            else:
                self._fold(run, members)
                nodes.append(self._block(run, first.removeprefix(prefix), members[first]))
        return tuple(nodes)

    def _block(self, run: list[str], label: str, populations: Sequence[str]) -> Node:
        children = self.children(f"{run[0]}.", populations)
        if len(run) == len(children) == 1 and (only := children[0]).is_block and only.times == 1:
            return replace(
                only, label=label, instances=(*run, *only.instances)
            )  # a block around one block says no more
        return Node(run[0], _span(run, label), children=children, instances=tuple(run), times=len(run))

    def _fold(self, run: list[str], members: Mapping[str, list[str]]) -> None:
        for other in run[1:]:
            for name in members[other]:
                self.stands_for[name] = run[0] + name.removeprefix(other)

    def _runs(self, order: Sequence[str], members: Mapping[str, list[str]]) -> Iterator[list[str]]:
        """The keys in order, blocks in a row that are alike together."""
        run: list[str] = []
        for key in order:
            alike = bool(run) and self.folder.alike(run[-1], key, members)
            if alike and self.folder.leads_on(run[-1], key, members):
                run.append(key)
                continue
            if run:
                yield run
            run = [key]
        if run:
            yield run

    def _ordered(self, members: dict[str, list[str]]) -> list[str]:
        """Keys in an order in which activity runs on; blocks between which it runs in circles are dissolved."""
        while True:
            key_of = {name: key for key, names in members.items() for name in names}
            after: dict[str, dict[str, None]] = {key: {} for key in members}
            for name, key in key_of.items():
                for target in self.next[name]:
                    if target in key_of and key_of[target] != key:
                        after[key_of[target]][key] = None
            try:
                topological_order(after, ((before, key) for key, others in after.items() for before in others))
            except CycleError as error:
                for key in error.cycle:
                    members.update({name: [name] for name in members.pop(key)})
            else:
                return _followed(after)


def _followed(after: Mapping[str, Mapping[str, None]]) -> list[str]:
    """Keys after all those that they come after; a way that has been begun is followed before another is."""
    waiting = {key: set(before) for key, before in after.items()}
    following: dict[str, list[str]] = {key: [] for key in after}
    for key, before in after.items():
        for earlier in before:
            following[earlier].append(key)
    ready = [key for key in reversed(list(after)) if not waiting[key]]
    order = []
    while ready:
        key = ready.pop()
        order.append(key)
        freed = []
        for later in following[key]:
            waiting[later].discard(key)
            if not waiting[later]:
                freed.append(later)
        ready.extend(reversed(freed))
    return order


def _span(run: Sequence[str], label: str) -> str:
    """What a fold is called: block2-4, or the first and the last name where they are not numbered so."""
    if len(run) == 1:
        return label
    first, last = (key.rsplit(".", 1)[-1] for key in (run[0], run[-1]))
    stem = first.rstrip("0123456789")
    number = last.removeprefix(stem)
    return f"{label}\u2013{number}" if last.startswith(stem) and number.isdigit() else f"{label} \u2026 {last}"
