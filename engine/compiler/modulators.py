"""Modulators of a mode with data: given from outside, or a reward that the program makes of the loss."""

from ...circuits.declarations import Modulator
from .builder import Ref
from .conduction import Compartments
from .per_sample import loss_of_each
from .state import baseline_name
from .streams import Streams


class Modulators:
    """The modulators of a circuit by name, as values that rules can read, and the new states of running baselines."""

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        self.builder = streams.builder
        self.baselines: dict[str, Ref] = {}
        """By state."""
        declared = streams.graph.circuit.modulators
        self.compartments: Compartments = {name: self._value(name, modulator) for name, modulator in declared.items()}

    def _value(self, name: str, modulator: Modulator) -> Ref:
        if modulator.of is None:
            return self.builder.input(f"mod/{name}", (), role="data", batched=modulator.per == "sample")
        reward = self._reward(self.streams, modulator)
        match modulator.baseline:
            case "noiseless":
                expected = self._reward(self._noiseless(), modulator)
            case "running":
                expected = self._running(baseline_name(name), reward, modulator.momentum)
            case _:
                return reward
        return self.builder.add(reward, self.builder.scale(expected, -1.0))

    def _reward(self, streams: Streams, modulator: Modulator) -> Ref:
        """Minus the loss, summed over the outputs: of each sample, or its mean over the batch of all ranks."""
        build = self.builder
        losses = [loss_of_each(build, *streams.losses.judged(name)) for name in streams.graph.outputs]
        reward = build.scale(build.total(losses), -1.0)
        if modulator.per == "sample":
            return reward
        return build.over_ranks(build.batch_mean(reward, "keep"), reward)

    def _noiseless(self) -> Streams:
        """Another forward pass on the same data, in which no noise is injected. Who drops out is the same."""
        given = self.streams
        noiseless = Streams(
            self.builder,
            given.graph,
            given.mode,
            synchronise=given.synchronise,
            soft_targets=given.soft_targets,
            noise={},
        )
        noiseless.activity()
        return noiseless

    def _running(self, state: str, reward: Ref, momentum: float) -> Ref:
        """The mean of earlier rewards; its new state moves towards the mean of this step's."""
        build = self.builder
        expected = build.input(state, (), role="state")
        seen = build.batch_mean(reward, "keep") if build[reward].batched else reward
        self.baselines[state] = build.add(build.scale(expected, 1 - momentum), build.scale(seen, momentum))
        return expected
