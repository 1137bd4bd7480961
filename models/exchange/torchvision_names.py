"""Torchvision's names for the stock residual networks in the classic form, of any depth and width."""

import re
from collections.abc import Iterator

import numpy as np

from ...circuits.declarations import Circuit
from ...circuits.errors import Location, Problem
from ...circuits.expansion import expand
from ...circuits.graph import Graph, build_graph
from .errors import ExchangeError
from .network import STEPS, Network

_CONVOLUTION = re.compile(r"(?:stem\.block1|stage(?P<stage>\d+)\.block(?P<block>\d+))\.(?P<layer>conv\d|downsample)")


def as_torchvision(circuit: Circuit) -> Network:
    """A stock residual network (`resnet18` to `resnet152`) with the names that torchvision's have. No weights yet:

        network = as_torchvision(cs.load("resnet50")).load(torchvision.models.resnet50(weights="DEFAULT").state_dict())
        simulator = cs.compile(network.circuit, state=network.state)

    Raises ExchangeError for a circuit of another form.
    """
    if not isinstance(circuit, Circuit):
        shown = repr(circuit) if isinstance(circuit, str) else type(circuit).__name__
        raise ExchangeError(Problem(f"as_torchvision takes a Circuit (got {shown}): say load('resnet50'), for one"))
    graph = build_graph(expand(circuit))
    names = {state: key for label in graph.projections for state, key in _names(graph, label)}
    steps = {
        key.replace("running_mean", STEPS): np.zeros((), np.int64)
        for name, key in names.items()
        if name.startswith("running_mean/")
    }
    return Network(circuit, names, steps)


def _names(graph: Graph, label: str) -> Iterator[tuple[str, str]]:
    """State name and key of what belongs to a projection: its weights, and the normalization that follows."""
    if graph.is_feedback(label) or not graph.weighted(label):
        return
    target = graph.projections[label].target
    layer, norm = _layers(label) if graph.populations[target].normalizes or label == "fc" else (None, None)
    if layer is None:
        raise ExchangeError(
            Problem(
                f"torchvision has no layer for '{label}': its names are those of resnet18 to resnet152 in the classic "
                "form. from_torch brings other networks in, with their names",
                "projections",
                Location(graph.circuit.name),
            )
        )
    yield f"weights/{label}", f"{layer}.weight"
    if norm is None:
        yield f"bias/{target}", f"{layer}.bias"
        return
    yield f"gain/{target}", f"{norm}.weight"
    yield f"bias/{target}", f"{norm}.bias"
    yield f"running_mean/{target}", f"{norm}.running_mean"
    yield f"running_variance/{target}", f"{norm}.running_var"


def _layers(label: str) -> tuple[str | None, str | None]:
    """A projection's layer in torchvision, and the batch normalization behind it."""
    if label == "fc":
        return "fc", None
    found = _CONVOLUTION.fullmatch(label)
    if found is None:
        return None, None
    block = f"layer{found['stage']}.{int(found['block']) - 1}." if found["stage"] else ""
    if found["layer"] == "downsample":
        return f"{block}downsample.0", f"{block}downsample.1"
    return f"{block}{found['layer']}", f"{block}{found['layer'].replace('conv', 'bn')}"
