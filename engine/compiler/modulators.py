"""Modulators of a mode with data: given from outside, or a reward that the program makes of the loss."""

from ...circuits.declarations import Modulator
from .builder import Ref
from .per_sample import loss_of_each
from .state import baseline_name
from .streams import Compartments, Streams


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
        build = self.builder
        if modulator.of is None:
            return build.input(f"mod/{name}", (), role="data", batched=modulator.per == "sample")
        reward = self._reward(self.streams, modulator)
        match modulator.baseline:
            case "noiseless":
                seen = self.streams
                without = Streams(
                    build,
                    seen.graph,
                    seen.mode,
                    synchronise=seen.synchronise,
                    soft_targets=seen.soft_targets,
                    noise={},
                )
                without.activity()
                return build.add(reward, build.scale(self._reward(without, modulator), -1.0))
            case "running":
                state = baseline_name(name)
                expected = build.input(state, (), role="state")
                seen = build.batch_mean(reward, "keep") if build[reward].batched else reward
                kept = build.scale(expected, 1 - modulator.momentum)
                self.baselines[state] = build.add(kept, build.scale(seen, modulator.momentum))
                return build.add(reward, build.scale(expected, -1.0))
            case _:
                return reward

    def _reward(self, streams: Streams, modulator: Modulator) -> Ref:
        """Minus the loss, summed over the outputs: of each sample, or its mean over the batch of all ranks."""
        build = self.builder
        losses = [loss_of_each(build, *streams.judged(name)) for name in streams.graph.outputs]
        reward = build.scale(build.total(losses), -1.0)
        if modulator.per == "sample":
            return reward
        return build.over_ranks(build.batch_mean(reward, "keep"), reward)
