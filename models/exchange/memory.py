"""Work in place: calls after which a value, or another view of its memory, is no longer what the graph of calls says.

A graph of calls knows values and no memory. In torch, `short = h; h += f(h)` changes `short` too, and `relu_` on a view
changes what the view was taken of. Here every call writes new memory, or shares that of its first argument; a value
must not be read once other calls wrote to its memory.
"""

import inspect
import operator
from collections.abc import Iterator
from typing import Any

from torch import fx, nn

from . import operations
from .modules import LAYERS

IN_PLACE = {
    f"__{name}__": getattr(operator, name)
    for name in ("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "imatmul", "iand", "ior", "ixor")
}
"""What Python's `+=` and its kin call, and the operators that torch.fx writes for them."""
_OPERATORS = frozenset({*IN_PLACE.values(), operator.setitem})
_TRANSPARENT = (nn.Identity, nn.Flatten, nn.Dropout)
"""Layers that return what they get: dropout in predictions."""
_VIEWS = frozenset({"flatten", "contiguous", "dropout"})
"""Of the known operations those that may do so too."""
_KNOWN = frozenset(
    {*operations.FUNCTIONS, *operations.METHODS, *operations.ADDITIONS, *operations.CONCATENATIONS}
    | operations.ARITHMETIC
)


def overwritten(graph: fx.Graph, module: nn.Module) -> Iterator[tuple[fx.Node, str]]:
    """Calls that work in place on memory of which an earlier value is read afterwards."""
    order = {node: index for index, node in enumerate(graph.nodes)}
    homes: dict[fx.Node, fx.Node] = {}
    """Value -> the first value in its memory."""
    sizes: set[fx.Node] = set()
    for node in graph.nodes:
        source = _written(node, module) or _shared(node, module)
        homes[node] = homes[source] if source else node
        if is_shape_query(node) or (node.all_input_nodes and sizes.issuperset(node.all_input_nodes)):
            sizes.add(node)
    for node in graph.nodes:
        target = _written(node, module)
        if target is None or target in sizes:  # numbers of Python are never changed
            continue
        for value in (v for v in order if homes[v] is homes[target] and order[v] < order[node]):
            if any(order[user] > order[node] and not is_shape_query(user) for user in value.users):
                yield node, _complaint(node, target, value)
                break


def _complaint(node: fx.Node, target: fx.Node, value: fx.Node) -> str:
    read = "which is read" if value is target else f"and '{value.name}', which shares its memory, is read"
    remedy = "say inplace=False, x = x + y in place of x += y, or read the result"
    return f"'{node.name}' works in place on '{target.name}', {read} again later: {remedy}"


def _written(node: fx.Node, module: nn.Module) -> fx.Node | None:
    """The value whose memory a call writes to."""
    if isinstance(out := node.kwargs.get("out"), fx.Node):
        return out
    return _first(node) if _in_place(node, module) else None


def _in_place(node: fx.Node, module: nn.Module) -> bool:
    if node.op == "call_module":
        return bool(getattr(module.get_submodule(str(node.target)), "inplace", False))
    if node.op not in ("call_method", "call_function"):
        return False
    name = operations.operation_name(node.target)
    named = name in IN_PLACE or (name.endswith("_") and not name.endswith("__"))
    return node.target in _OPERATORS or (named and name not in ("and_", "or_", "not_")) or _asked_in_place(node)


def _asked_in_place(node: fx.Node) -> bool:
    """Whether the call says `inplace=True`, by name or by position."""
    if node.op != "call_function" or "inplace" in node.kwargs:
        return bool(node.kwargs.get("inplace", False))
    target: Any = node.target
    try:
        return bool(inspect.signature(target).bind(*node.args, **node.kwargs).arguments.get("inplace", False))
    except (TypeError, ValueError):  # a builtin, or arguments that do not fit: the reader refuses those
        return False


def _shared(node: fx.Node, module: nn.Module) -> fx.Node | None:
    """The value whose memory a call's result may share: the first argument's, unless the call is known to copy."""
    if node.op in ("placeholder", "get_attr", "output") or is_shape_query(node):
        return None
    if node.op == "call_module":
        kind = type(module.get_submodule(str(node.target)))
        copies = kind in LAYERS and kind not in _TRANSPARENT
    else:
        copies = node.target in _KNOWN and operations.operation_name(node.target) not in _VIEWS
    return None if copies else _first(node)


def _first(node: fx.Node) -> fx.Node | None:
    return node.all_input_nodes[0] if node.all_input_nodes else None


def is_shape_query(node: fx.Node) -> bool:
    """Whether a call reads the shape of a value and not the value."""
    if node.target is getattr:
        return node.args[1] in ("shape", "ndim", "dtype", "device")
    return node.op == "call_method" and node.target in ("size", "dim", "numel", "__len__")
