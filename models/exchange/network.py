"""A circuit with the weights and the names that it has in torch."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...circuits.declarations import Circuit
from ...circuits.errors import Location, Problem, suggest
from ...circuits.expansion import expand
from ...circuits.graph import build_graph
from ...engine.compiler.state import circuit_states
from ...engine.simulator import Simulator
from .errors import ExchangeError

Array = NDArray[Any]
STEPS = "num_batches_tracked"
"""How torch calls the number of training batches that a batch normalization has seen."""

SHOWN = 20
"""Keys that are listed where many are wrong."""


@dataclass(frozen=True, eq=False)
class Network:
    """A circuit, its weights by state name, and the keys that they have in a torch `state_dict`.

    `cs.compile(network.circuit, state=network.state)` starts from these weights; `network.state_dict(simulator)` gives
    what it learned under the module's own names, complete, so that `module.load_state_dict(..., strict=True)` takes it.

    **Absorbed biases.** A convolution's bias in front of batch normalization cannot be told from the running mean: the
    batch mean takes it away again, and its gradient is zero. The circuit has none. Its running mean is torch's less
    that bias; on the way back the bias is added again and returned as it came. (An optimizer of torch that decays
    biases would shrink it, and the running mean with it; here it stays.)
    """

    circuit: Circuit
    names: Mapping[str, str]
    """State name -> key: weights/layer1.0.conv1 -> layer1.0.conv1.weight. The states of the forward stream."""
    entries: Mapping[str, Array] = field(repr=False)
    """The module's whole state by key. For a stock circuit, before `load`, only what the circuit does not hold."""
    absorbed: Mapping[str, str] = field(default_factory=dict)
    """Running mean -> key of the bias that is part of it."""
    shared: Mapping[str, str] = field(default_factory=dict)
    """Key -> the first key of the same tensor, for layers that a module has under several names."""
    metadata: Mapping[str, Any] | None = field(default=None, repr=False)
    """The versions that a `state_dict` carries along, for modules that ask for them."""

    @cached_property
    def state(self) -> Mapping[str, Array]:
        """Initial arrays by state name, for `cs.compile(..., state=...)`, in the module's precision."""
        found = {}
        for name, key in self.names.items():
            if key in self.entries:
                bias = self.absorbed.get(name)
                found[name] = self.entries[key] - (0 if bias is None else self.entries[bias])
        return found

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes by key, of the module's whole state."""
        states = circuit_states(build_graph(expand(self.circuit)))
        held = {key: states[name].shape for name, key in self.names.items()}
        return {key: value.shape for key, value in self.entries.items()} | held

    @property
    def unused(self) -> tuple[str, ...]:
        """Keys of what the circuit does not hold: layers that nothing calls, buffers that no layer needs."""
        held = {*self.names.values(), *self.absorbed.values()}
        held |= {key.replace("running_mean", STEPS) for key in held if key.endswith("running_mean")}
        return tuple(key for key in self.entries if key not in held)

    def load(self, state_dict: Mapping[str, Any]) -> "Network":
        """The same network with the weights of a `state_dict` of its module.

        A prefix that all keys have in common, and the module's have not, is left out (`module.`, which parallel
        training puts there). Counts of batches (`num_batches_tracked`) may be missing, as in torch: they stay what they
        were. Raises ExchangeError where keys or shapes differ, naming the first of them.
        """
        known = dict.fromkeys([*self.names.values(), *self.entries])
        given = self._without_prefix(self._mapping(state_dict), known)
        counts = {key: value for key, value in self.entries.items() if key.rpartition(".")[2] == STEPS}
        left = [key for key in known if key not in given]
        problems = [
            f"unexpected key '{key}'. {suggest(str(key), left, 'keys left over')}" for key in given if key not in known
        ]
        problems += [f"key '{key}' is missing" for key in left if key not in counts]
        arrays = counts | {key: as_array(value) for key, value in given.items() if key in known}
        for key, shape in self.shapes.items():
            if key in arrays and arrays[key].shape != shape:
                problems.append(f"'{key}' must have shape {list(shape)} (got {list(arrays[key].shape)})")
        self._raise(problems)
        metadata = getattr(state_dict, "_metadata", None) if given is state_dict else None
        return replace(self, entries={key: arrays[key] for key in known}, metadata=metadata or self.metadata)

    def _mapping(self, state_dict: Any) -> Mapping[str, Any]:
        if isinstance(state_dict, nn.Module):
            self._raise(["load takes a state_dict (got a module): say load(module.state_dict())"])
        if not isinstance(state_dict, Mapping):
            self._raise([f"load takes a state_dict, keys to tensors (got {type(state_dict).__name__})"])
        found: Mapping[str, Any] = state_dict
        return found

    @staticmethod
    def _without_prefix(given: Mapping[str, Any], known: Mapping[str, None]) -> Mapping[str, Any]:
        """The entries under keys without the prefix that they have in common, where that is what is wrong with them."""
        wanted = next((key for key in known if not key.endswith(STEPS)), "")
        candidates = [str(key).removesuffix(f".{wanted}") for key in given if str(key).endswith(f".{wanted}")]
        for prefix in sorted(candidates, key=len):
            if all(str(key).startswith(f"{prefix}.") for key in given):
                return {key.removeprefix(f"{prefix}."): value for key, value in given.items()}
        return given

    def state_dict(self, simulator: Simulator | None = None) -> OrderedDict[str, torch.Tensor]:
        """The module's whole `state_dict`: with a simulator's weights and statistics, or as it was loaded.

        What the circuit does not hold comes back unchanged; every `num_batches_tracked` grows by the simulator's steps
        with data.
        """
        arrays = dict(self.entries)
        if simulator is not None:
            arrays |= self._learned(simulator)
            arrays |= {key: arrays[first] for key, first in self.shared.items()}
        self._raise(
            [f"'{key}' has no value yet: load a state_dict" for key in self.names.values() if key not in arrays]
        )
        keys = dict.fromkeys((*self.entries, *self.names.values()))
        found = OrderedDict((key, torch.from_numpy(np.array(arrays[key]))) for key in keys)
        if self.metadata is not None:
            found._metadata = self.metadata  # type: ignore[attr-defined]
        return found

    def _learned(self, simulator: Simulator) -> dict[str, Array]:
        states = simulator.compiled.states
        self._raise(
            [
                f"the simulator has no state '{name}': it runs another circuit than '{self.circuit.name}'"
                for name in self.names
                if name not in states
            ]
        )
        learned = {}
        for name, key in self.names.items():
            bias = self.absorbed.get(name)
            learned[key] = simulator.get_state(name) + (0 if bias is None else self.entries[bias])
        seen = steps_with_data(simulator)
        counts = {key: value + seen for key, value in self.entries.items() if key.rpartition(".")[2] == STEPS}
        return learned | counts

    def _raise(self, messages: Sequence[str]) -> None:
        if messages:
            place = Location(self.circuit.name)
            if len(messages) > SHOWN + 1:
                messages = [*messages[:SHOWN], f"and {len(messages) - SHOWN} more"]
            raise ExchangeError(Problem(message, "state_dict", place) for message in messages)


def steps_with_data(simulator: Simulator) -> int:
    """How many batches the simulator's running statistics have seen."""
    modes = simulator.compiled.modes
    return sum(steps for mode, steps in simulator.steps.items() if modes[mode].mode.errs)


def as_array(tensor: Any) -> Array:
    """A copy of a tensor as an array; precisions that NumPy has not become float32."""
    if isinstance(tensor, torch.Tensor):
        home = tensor.detach().cpu()
        narrow = home.dtype in (torch.bfloat16, torch.float16)
        return (home.float() if narrow else home).numpy().copy()
    return np.array(tensor)
