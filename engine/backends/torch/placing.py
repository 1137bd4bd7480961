"""Results in the memory of inputs: the pass over a lowered graph that puts new states in the place of old ones.

A new value is written where the old one lies, once nothing reads that any more: weights and traces need no second set
of memory. An elementwise call writes there itself, and so does the one before it where nobody else reads its result:
then v = drive + mu v - decay w and w + rate v take three passes over memory and no new block.
"""

from collections.abc import Iterable

import torch
from torch import fx

aten = torch.ops.aten

# Their result shares memory with their first operand: who reads the one reads the other.
VIEWS = frozenset({torch.reshape, torch.flatten, torch.t, aten.expand.default})
# They can write into an operand of the result's shape while they read it.
ELEMENTWISE = frozenset({torch.add, torch.sub, torch.mul, torch.div, torch.addcmul})


def place(graph: fx.Graph, homes: Iterable[tuple[fx.Node, fx.Node]], *, fused: bool) -> None:
    """Let values end in the memory of placeholders: `homes` holds pairs of the two.

    With `fused`, elementwise calls write there themselves. Without, copies are left, which a compiler fuses. Nodes of
    values without a batch carry their shape in `meta`.
    """
    homes = tuple(homes)
    order = {node: position for position, node in enumerate(graph.nodes)}
    taken: set[fx.Node] = set()
    for value, home in homes:
        last = max(_readers(home), key=order.__getitem__, default=home)
        if value is home:
            continue
        if fused and value not in taken and _can_write(value, home) and order[last] <= order[value]:
            _write(value, home)
            before = value.args[0]
            if isinstance(before, fx.Node) and _is_scratch(before, value, home) and order[last] <= order[before]:
                _write(before, home)
        else:
            with graph.inserting_after(max((value, last), key=order.__getitem__)):
                graph.call_function(aten.copy_.default, (home, value))
        taken.add(value)
    check_order(graph, {home for _, home in homes})


def _readers(node: fx.Node) -> set[fx.Node]:
    """Who reads a node's memory, through views too."""
    direct = set(node.users)
    return direct.union(*(_readers(user) for user in direct if user.target in VIEWS))


def _can_write(call: fx.Node, home: fx.Node) -> bool:
    """Whether a call can write its result over `home`."""
    return call.target in ELEMENTWISE and call.meta.get("shape") == home.meta["shape"] and "out" not in call.kwargs


def _is_scratch(before: fx.Node, value: fx.Node, home: fx.Node) -> bool:
    """Whether the first operand of a value may lie in the value's home: only the value reads it, and not `home` too."""
    return set(before.users) == {value} and home not in value.args[1:] and _can_write(before, home)


def _write(call: fx.Node, home: fx.Node) -> None:
    call.kwargs = {**call.kwargs, "out": home}


def check_order(graph: fx.Graph, homes: Iterable[fx.Node]) -> None:
    """Every read of what was in a home precedes all writes into it, or takes place in the first of them."""
    order = {node: position for position, node in enumerate(graph.nodes)}
    for home in homes:
        writes = [node for node in home.users if _writes(node, home)]
        first = min((order[node] for node in writes), default=len(order))
        late = [node for node in _readers(home) if order[node] > first and node not in writes and node.op != "output"]
        assert not late, f"{late} would read {home} after it was overwritten"


def _writes(node: fx.Node, home: fx.Node) -> bool:
    return node.kwargs.get("out") is home or (node.target is aten.copy_.default and node.args[0] is home)
