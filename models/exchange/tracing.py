"""A module as a graph of calls, with the place of each: torch.fx, and its complaints in our words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from ...circuits.errors import Location, Problem
from .errors import ExchangeError
from .offset import Offset


@dataclass(frozen=True)
class Traced:
    """A module and its graph of calls."""

    module: nn.Module
    graph: fx.Graph

    def problem(self, node: fx.Node, message: str) -> Problem:
        """Something wrong with a call, at the submodule that makes it."""
        return Problem(message, place(self.module, scope(node)), Location(type(self.module).__name__))


def trace(module: nn.Module) -> Traced:
    """Trace a module as it stands: control flow on `self.training` goes the way of its present mode.

    Calls whose results nothing uses are left out. Raises ExchangeError where torch.fx cannot follow.
    """
    tracer = _Tracer()
    try:
        graph = tracer.trace(module)
    except Exception as error:  # whatever the module's own code raises when it meets a proxy
        raise ExchangeError(
            Problem(
                f"torch.fx cannot trace it ({error}). Control flow must not depend on data: take out the branch, or "
                "bring in the part without it",
                place(module, tracer.path),
                Location(type(module).__name__),
            )
        ) from error
    traced = Traced(module, graph)
    if problems := [traced.problem(node, message) for node, message in _overwritten(graph, module)]:
        raise ExchangeError(problems)
    graph.eliminate_dead_code(is_impure_node=lambda node: node.op in ("placeholder", "output"))
    return traced


def scope(node: fx.Node) -> str:
    """The qualified name of the submodule in whose code a call stands; for a call of a layer, the layer's."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    return str(stack[-1][0]) if stack else ""


def place(module: nn.Module, path: str) -> str:
    """`layer1.0.se (SqueezeExcitation)`; nothing for the module itself."""
    return f"{path} ({type(module.get_submodule(path)).__name__})" if path else ""


class _Tracer(fx.Tracer):
    """Remembers the submodule in which tracing ended."""

    def __init__(self) -> None:
        super().__init__()
        self.path = ""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, Offset) or super().is_leaf_module(m, module_qualified_name)

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        outer, self.path = self.path, self.path_of_module(m)
        result = super().call_module(m, forward, args, kwargs)
        self.path = outer  # not where it raises: the innermost place is the one to name
        return result


def _overwritten(graph: fx.Graph, module: nn.Module) -> Iterator[tuple[fx.Node, str]]:
    """Calls that work in place on a value that is read afterwards: the graph would read the value from before."""
    order = {node: index for index, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if not _in_place(node, module) or not node.all_input_nodes:
            continue
        target = node.all_input_nodes[0]
        if any(order[user] > order[node] for user in target.users):
            yield (
                node,
                f"'{node.name}' works in place on '{target.name}', which is read again later: say inplace=False, "
                "or read the result",
            )


def _in_place(node: fx.Node, module: nn.Module) -> bool:
    if node.op == "call_module":
        return bool(getattr(module.get_submodule(str(node.target)), "inplace", False))
    name = str(node.target) if node.op == "call_method" else getattr(node.target, "__name__", "")
    written = name.endswith("_") and not name.endswith("__")
    return node.op in ("call_method", "call_function") and (written or bool(node.kwargs.get("inplace", False)))
