"""To torch: a circuit with its weights becomes a module."""

import keyword
import operator
import re
from collections.abc import Mapping

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional

from ...circuits import names
from ...circuits.declarations import BatchNormalization
from ...circuits.errors import Location, Problem
from ...circuits.graph import Graph
from ...circuits.locality import conducts
from ...circuits.wiring import Conv, Dense, Flatten, Geometry, OneToOne, Pool
from ...engine.compiler.state import weights_name
from ...engine.simulator import Simulator
from .cells import unique
from .errors import ExchangeError
from .network import Network, steps_with_data
from .offset import Offset
from .torch_layers import TRANSFERS, convolution, linear, normalization, pool


def to_torch(simulator: Simulator, network: Network | None = None) -> fx.GraphModule:
    """The forward stream of a compiled circuit as a torch module, with its weights and statistics.

    The module takes the inputs in the order of the circuit and returns the output: logits where the loss is
    cross-entropy (what `torch.nn.CrossEntropyLoss` takes), otherwise rates; a mapping by population where there are
    several. In training mode it normalizes by the batch, moves its statistics and drops out, as the circuit does in a
    step; in evaluation mode it is `simulator.predict`. Parameters that no rule of the circuit moves have
    `requires_grad=False`.

    Layers bear the names of their projections (stage1.block1.conv1), or, where those have none, of the population that
    they project to (v1.conv), normalizations those of their populations (v1.norm). With `network` they bear the names
    of the module that it came from, so that its `load_state_dict` takes this module's `state_dict`, strictly, and the
    other way round: what the circuit does not hold (an auxiliary layer that nothing calls) lies in it as buffers. A
    module that is a single layer is the exception: torch.fx calls layers and is none, so that its keys get a word in
    front (linear.weight).

    Raises ExchangeError where a population stands for the label.
    """
    if not isinstance(simulator, Simulator):
        got = type(simulator).__name__
        raise ExchangeError(
            Problem(f"to_torch takes a simulator (got {got}): say compile(network.circuit, state=network.state)")
        )
    if not isinstance(network, Network | None):
        raise ExchangeError(Problem(f"to_torch takes the names of a Network (got {type(network).__name__})"))
    return _Writer(simulator, network).write()


class _Writer:
    """Writes population by population, sources first."""

    def __init__(self, simulator: Simulator, network: Network | None) -> None:
        self.simulator = simulator
        self.circuit_graph: Graph = simulator.compiled.graph
        self.network = network
        self.root = fx.GraphModule(nn.Module(), fx.Graph())  # empty, and with every name that such a module needs
        self.graph = fx.Graph()
        self.rates: dict[str, fx.Node] = {}
        self._arguments: set[str] = set()
        self.layers: dict[str, str] = {}
        """State of weights -> path of the layer that has them."""
        self.learned = {
            learner.state for programs in simulator.compiled.modes.values() for learner in programs.learners
        }

    def write(self) -> fx.GraphModule:
        graph = self.circuit_graph
        for name in graph.forward:
            population = graph.populations[name]
            if population.target is not None:
                self._refuse(name, "stands for the label's code: a torch module gets no label")
            if population.input is not None:
                self.rates[name] = self.graph.placeholder(self._argument(name))
        for name in graph.forward:
            if name not in self.rates:
                self.rates[name] = self._population(name)
        ends = graph.outputs or tuple(name for name in graph.forward if self._is_last(name))
        self.graph.output(self.rates[ends[0]] if len(ends) == 1 else {name: self.rates[name] for name in ends})
        module = fx.GraphModule(self.root, self.graph, _class_name(graph.circuit.name))
        if self.network is not None:  # steps seen before, and biases that are part of running means
            known = self.network.state_dict(self.simulator)
            module.load_state_dict({key: known.get(key, value) for key, value in module.state_dict().items()})
            self._store(module, {key: known[key] for key in self.network.unused})
        return module

    def _store(self, module: nn.Module, entries: Mapping[str, torch.Tensor]) -> None:
        """Entries that no layer of the circuit has, where they were."""
        for key, tensor in entries.items():
            parent, (*outer, last) = module, key.split(".")
            for part in outer:
                if not hasattr(parent, part):
                    parent.add_module(part, nn.Module())
                parent = parent.get_submodule(part)
            if not hasattr(parent, last):
                parent.register_buffer(last, tensor)

    def _argument(self, population: str) -> str:
        """An input's name as a parameter of `forward`."""
        word = population.replace(".", "_")
        return unique(f"{word}_" if keyword.iskeyword(word) else word, self._arguments)

    def _is_last(self, name: str) -> bool:
        return not any(projection.source == name for projection in self.circuit_graph.projections.values())

    def _refuse(self, name: str, message: str) -> None:
        place = Location(self.circuit_graph.circuit.name)
        raise ExchangeError(Problem(f"'{name}' {message}", f"populations.{name}", place))

    # ---- populations

    def _population(self, name: str) -> fx.Node:
        graph, population = self.circuit_graph, self.circuit_graph.populations[name]
        labels = [label for label in graph.into(name) if self._conducts(label)]
        bias = not population.normalizes and graph.has_bias(name)
        bearer = next((label for label in labels if bias and self._may_bear(label)), None)
        node = self._sum(name, labels, bearer)
        if population.normalizes:
            node = self._normalize(name, node)
        elif bias and bearer is None:
            offset = Offset(graph.shapes[name][0])
            node = self._call(f"{name}.offset", self._filled(offset, bias=f"bias/{name}"), node)
        if population.transfer in TRANSFERS:
            function, arguments = TRANSFERS[population.transfer]
            node = self.graph.call_function(function, (node,), dict(arguments))
        if population.dropout:
            node = self._call(f"{name}.dropout", nn.Dropout(population.dropout), node)
        return node

    def _conducts(self, label: str) -> bool:
        projection = self.circuit_graph.projections[label]
        return conducts(self.circuit_graph, projection.modes, self.simulator.compiled.data_mode)

    def _may_bear(self, label: str) -> bool:
        """Whether the population's bias may be that of the layer: one number a channel, in a layer that runs once."""
        graph = self.circuit_graph
        state, geometry = weights_name(graph, label), graph.geometries[label]
        users = [other for other in graph.projections if graph.weighted(other) and not graph.is_feedback(other)]
        alone = sum(weights_name(graph, other) == state for other in users) == 1
        fits = isinstance(geometry.wiring, Conv) or (isinstance(geometry.wiring, Dense) and len(geometry.upper) == 1)
        return alone and fits

    def _sum(self, name: str, labels: list[str], bearer: str | None) -> fx.Node:
        if parts := self._side_by_side(name, labels):
            return self.graph.call_function(torch.cat, (parts, 1))
        currents = [self._project(label, label == bearer) for label in labels]
        node = currents[0]
        for current in currents[1:]:
            node = self.graph.call_function(torch.add, (node, current))
        return node

    def _side_by_side(self, name: str, labels: list[str]) -> list[fx.Node] | None:
        """What a concatenation joins: one-to-one projections whose target ranges fill the channels one by one."""
        found = []
        for label in labels:
            wiring = self.circuit_graph.geometries[label].wiring
            if not isinstance(wiring, OneToOne) or wiring.target is None:
                return None
            found.append((wiring.target, label))
        stops = [0, *(stop for (_, stop), _ in sorted(found))]
        if not found or [start for (start, _), _ in sorted(found)] != stops[:-1]:
            return None
        if stops[-1] != self.circuit_graph.shapes[name][0]:
            return None
        return [self._picked(label) for _, label in sorted(found)]

    def _normalize(self, name: str, node: fx.Node) -> fx.Node:
        how = self.circuit_graph.populations[name].normalize
        assert isinstance(how, BatchNormalization)
        norm = normalization(how, self.circuit_graph.shapes[name])
        self._filled(norm, running_mean=f"running_mean/{name}", running_var=f"running_variance/{name}")
        for own, state, neutral in (("weight", f"gain/{name}", 1), ("bias", f"bias/{name}", 0)):
            if state in self.learned or (self.simulator.get_state(state) != neutral).any():
                self._filled(norm, **{own: state})
                norm.affine = True
        norm.num_batches_tracked = torch.tensor(steps_with_data(self.simulator))
        return self._call(self._layer_of(f"running_mean/{name}") or f"{name}.norm", norm, node)

    # ---- projections

    def _project(self, label: str, bears_bias: bool) -> fx.Node:
        geometry = self.circuit_graph.geometries[label]
        source = self.rates[self.circuit_graph.projections[label].source]
        target = self.circuit_graph.projections[label].target
        match geometry.wiring:
            case Conv():
                return self._weighted(label, convolution(geometry), source, bears_bias)
            case Dense(shared=shared):
                if len(geometry.lower) > 1:
                    source = self.graph.call_function(torch.flatten, (source, 1))
                node = self._weighted(label, linear(geometry), source, bears_bias)
                return self._onto_maps(node, geometry, shared)
            case Pool():
                return self._call(f"{target}.pool", pool(geometry), source)
            case Flatten():
                return self.graph.call_function(torch.flatten, (source, 1)) if len(geometry.lower) > 1 else source
            case _:
                return self._placed(label, self._picked(label))

    def _weighted(self, label: str, layer: nn.Conv2d | nn.Linear, source: fx.Node, bears_bias: bool) -> fx.Node:
        state = weights_name(self.circuit_graph, label)
        if state in self.layers:
            return self.graph.call_module(self.layers[state], (source,))
        target = self.circuit_graph.projections[label].target
        self._filled(layer, weight=state)
        if bears_bias:
            layer.bias = nn.Parameter(torch.zeros(self.circuit_graph.shapes[target][0]))
            self._filled(layer, bias=f"bias/{target}")
        elif self._has_absorbed_bias(state):
            layer.bias = nn.Parameter(torch.zeros(self.circuit_graph.shapes[target][0], dtype=layer.weight.dtype))
        node = self._call(self._layer_of(state) or self._own_path(label), layer, source)
        self.layers[state] = str(node.target)
        return node

    def _own_path(self, label: str) -> str:
        projection = self.circuit_graph.projections[label]
        if label == names.arrow(projection.source, projection.target):  # no name of its own
            return f"{projection.target}.{self.circuit_graph.geometries[label].wiring.kind}"
        return re.sub(r"[^A-Za-z0-9_.-]", "_", label.replace("->", "_to_"))

    def _onto_maps(self, node: fx.Node, geometry: Geometry, shared: bool) -> fx.Node:
        """A row of currents as maps: a neuron each, or one a channel for all positions."""
        if len(geometry.upper) == 1:
            return node
        channels, high, wide = geometry.upper
        if not shared:
            return self.graph.call_method("reshape", (node, -1, channels, high, wide))
        column = self.graph.call_method("reshape", (node, -1, channels, 1, 1))
        return self.graph.call_method("expand", (column, -1, -1, high, wide))

    def _picked(self, label: str) -> fx.Node:
        """The channels of the source that a one-to-one projection reads."""
        wiring, source = self.circuit_graph.geometries[label].wiring, self.circuit_graph.projections[label].source
        assert isinstance(wiring, OneToOne)
        if wiring.source is None or wiring.source == (0, self.circuit_graph.shapes[source][0]):
            return self.rates[source]
        return self.graph.call_function(operator.getitem, (self.rates[source], (slice(None), slice(*wiring.source))))

    def _placed(self, label: str, node: fx.Node) -> fx.Node:
        """Zeros around the channels that a one-to-one projection writes."""
        geometry = self.circuit_graph.geometries[label]
        assert isinstance(geometry.wiring, OneToOne)
        start, stop = geometry.wiring.target or (0, geometry.upper[0])
        if (start, stop) == (0, geometry.upper[0]):
            return node
        around = (0, 0) * (len(geometry.upper) - 1) + (start, geometry.upper[0] - stop)
        return self.graph.call_function(functional.pad, (node, around))

    # ---- modules and their names

    def _call(self, path: str, module: nn.Module, node: fx.Node) -> fx.Node:
        """A call of a submodule, put where its path says, or, where that is taken, next to it."""
        *outer, last = filter(None, path.split("."))
        parent: nn.Module = self.root
        for part in outer:
            free = _free(parent, part, may_be=nn.Module)
            if not hasattr(parent, free):
                parent.add_module(free, nn.Module())
            parent = getattr(parent, free)
        free = _free(parent, last)
        parent.add_module(free, module)
        return self.graph.call_module(
            next(name for name, found in self.root.named_modules() if found is module), (node,)
        )

    def _filled(self, module: nn.Module, **states: str) -> nn.Module:
        """The module with tensors of the simulator's state; parameters that no rule moves do not learn."""
        for own, state in states.items():
            tensor = torch.from_numpy(np.array(self.simulator.get_state(state)))
            if own in module._parameters:
                setattr(module, own, nn.Parameter(tensor, requires_grad=state in self.learned))
            else:
                setattr(module, own, tensor)
        return module

    def _layer_of(self, state: str) -> str | None:
        """The layer that has a state in the network's module."""
        key = self.network.names.get(state) if self.network else None
        return key.rpartition(".")[0] if key else None

    def _has_absorbed_bias(self, state: str) -> bool:
        """Whether the layer has a bias in the network's module, in front of a batch normalization."""
        return self.network is not None and f"{self._layer_of(state)}.bias" in self.network.absorbed.values()


def _class_name(circuit: str) -> str:
    """`Resnet18` for resnet18."""
    letters = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", circuit))
    return letters if letters[:1].isalpha() else f"Net{letters}"


def _free(parent: nn.Module, name: str, may_be: type[nn.Module] | None = None) -> str:
    """The name, with strokes behind it until the parent has no other use for it."""
    while hasattr(parent, name) and not (may_be and isinstance(getattr(parent, name), may_be)):
        name += "_"
    return name
