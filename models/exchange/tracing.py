"""A module as a graph of calls, with the place of each: torch.fx, and its complaints in our words."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn
from torch.nn.parameter import is_lazy

from ...circuits.errors import Location, Problem
from .errors import ExchangeError
from .layers import Refusal
from .memory import IN_PLACE, overwritten
from .modules import refuse_hooks
from .offset import Offset


@dataclass(frozen=True)
class Traced:
    """A module and its graph of calls."""

    module: nn.Module
    graph: fx.Graph
    title: str
    """The class of the module that came in."""
    bare: str = ""
    """Where that is one layer: what it is called in `module`, which holds it and nothing else."""

    def problem(self, node: fx.Node, message: str) -> Problem:
        """Something wrong with a call, at the submodule that makes it."""
        return Problem(message, place(self.module, scope(node)), Location(self.title))

    def key(self, key: str) -> str:
        """A key of `module` as one of the module that came in."""
        return key.removeprefix(f"{self.bare}.") if self.bare else key


def trace(module: nn.Module) -> Traced:
    """Trace a module as it stands: control flow on `self.training` goes the way of its present mode.

    Calls whose results nothing uses are left out. Raises ExchangeError where torch.fx cannot follow, and where the
    graph would not say what the module does: with hooks of the module itself, with work in place.
    """
    title, tracer = type(module).__name__, _Tracer()
    _check_readable(module, title)
    bare = title.lower() if tracer.is_leaf_module(module, "") else ""
    root = nn.Sequential() if bare else module
    if bare:  # torch.fx would look into it
        root.add_module(bare, module)
        root.training = module.training
    try:
        graph = tracer.trace(root)
    except Exception as error:  # whatever the module's own code raises when it meets a proxy
        problem = Problem(
            f"torch.fx cannot trace it ({error}). {_remedy(error)}", place(root, tracer.path), Location(title)
        )
        raise ExchangeError(problem) from error
    traced = Traced(root, graph, title, bare)
    if problems := [traced.problem(node, message) for node, message in overwritten(graph, root)]:
        raise ExchangeError(problems)
    graph.eliminate_dead_code(is_impure_node=lambda node: node.op in ("placeholder", "output"))
    return traced


def _check_readable(module: nn.Module, title: str) -> None:
    """What keeps a module as a whole from being read. Raises ExchangeError."""
    problems = []
    try:
        refuse_hooks(module)
    except Refusal as refusal:
        problems.append(Problem(str(refusal), "", Location(title)))
    scripted = [path for path, part in module.named_modules() if isinstance(part, torch.jit.ScriptModule)]
    if scripted:
        message = "a scripted module has no Python code to follow: bring in the module that it was made from"
        problems.append(Problem(message, place(module, scripted[0]), Location(title)))
    tensors = [*module.named_parameters(), *module.named_buffers()]
    if lazy := [key for key, tensor in tensors if is_lazy(tensor)]:
        message = f"'{lazy[0]}' has no shape yet, as lazy layers have before their first call: call the module once"
        problems.append(Problem(message, "", Location(title)))
    elif empty := [key for key, tensor in tensors if tensor.is_meta]:
        message = (
            f"'{empty[0]}' is on the device 'meta', which has shapes and no numbers: say module.to_empty(device='cpu') "
            "and load weights"
        )
        problems.append(Problem(message, "", Location(title)))
    if problems:
        raise ExchangeError(problems)


def _remedy(error: Exception) -> str:
    """What helps, by what torch.fx, or Python, says."""
    said = str(error)
    if "control flow" in said:
        return "Control flow must not depend on data: take out the branch, or bring in the part without it"
    if "'len'" in said:
        return "Say x.size(0) or x.shape[0] in place of len(x)"
    return "It follows calls of layers, of torch's functions and of tensors' methods: bring in the part made of those"


def scope(node: fx.Node) -> str:
    """The qualified name of the submodule in whose code a call stands; for a call of a layer, the layer's."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    return str(stack[-1][0]) if stack else ""


def place(module: nn.Module, path: str) -> str:
    """`layer1.0.se (SqueezeExcitation)`; nothing for the module itself."""
    return f"{path} ({type(module.get_submodule(path)).__name__})" if path else ""


class _Proxy(fx.Proxy):
    """A value on which work in place is recorded as such; torch.fx itself takes `x += y` for `x = x + y`."""

    def __setitem__(self, key: Any, value: Any) -> None:
        self.tracer.create_proxy("call_function", operator.setitem, (self, key, value), {})


def _recorded(function: Callable[..., Any]) -> Callable[[_Proxy, Any], fx.Proxy]:
    return lambda self, other: self.tracer.create_proxy("call_function", function, (self, other), {})


for _name, _function in IN_PLACE.items():
    setattr(_Proxy, _name, _recorded(_function))


class _Tracer(fx.Tracer):
    """Remembers the submodule in which tracing ended."""

    def __init__(self) -> None:
        super().__init__()
        self.path = ""

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, Offset) or super().is_leaf_module(m, module_qualified_name)

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        outer, self.path = self.path, self.path_of_module(m)
        result = super().call_module(m, forward, args, kwargs)
        self.path = outer  # not where it raises: the innermost place is the one to name
        return result
