"""The forward stream as operations: activity from the sources upwards."""

from collections.abc import Mapping
from functools import partial
from math import sqrt

from ...circuits.declarations import BatchNormalization, Noise
from .builder import Ref
from .conduction import Conduction
from .errors import cannot
from .labels import Labels
from .noise import NoiseInput
from .normalization import normalize_together


class ForwardStream:
    """Each population leaves its compartments behind, and what its partner's gate will need.

    With `frozen`, populations normalize by their running statistics and none drops out. With `synchronise`, they
    normalize over the batch of all ranks. `injects`: the noise that is added to somas, by population.
    """

    def __init__(
        self,
        conduction: Conduction,
        labels: Labels,
        injects: Mapping[str, Noise],
        *,
        frozen: bool,
        synchronise: bool,
    ) -> None:
        self.conduction = conduction
        self.builder, self.graph = conduction.builder, conduction.graph
        self.compartments = conduction.compartments
        self.labels = labels
        self.injects = injects
        self.frozen = frozen
        self.synchronise = synchronise
        self.statistics: dict[str, Ref] = {}
        """New running statistics by state name."""
        self.before_transfer: dict[str, Ref] = {}
        """What the transfer function turns into the rate."""
        self.answers: dict[str, Ref] = {}
        """Rates before anyone drops out."""
        self.transmitted: dict[str, Ref] = {}
        """By population with dropout: the factor of each neuron's rate, 0 or 1 / (1 - p)."""
        self.normalization: dict[str, tuple[Ref, Ref, Ref]] = {}
        """By population that normalizes over its batch: gain, mean, deviation."""

    def build(self) -> None:
        """All populations, sources first."""
        for name in self.graph.forward:
            population = self.graph.populations[name]
            if population.input is not None:
                rate = self.builder.input(f"data/{name}", population.input, role="data", batched=True)
                self.compartments[name] = {"soma": rate, "rate": rate}
            elif population.target is not None:
                rate = self.labels.code(name, population.target)
                self.compartments[name] = {"soma": rate, "rate": rate}
            else:
                self._answer(name)

    def _answer(self, name: str) -> None:
        population, build = self.graph.populations[name], self.builder
        soma = self.conduction.current(name)
        if soma is None:
            raise cannot(f"nothing conducts to '{name}' in mode '{self.conduction.mode}'", f"populations.{name}")
        own = self.compartments[name] = {"soma": soma}
        if name in self.injects:
            own["noise"] = self._injected(name, self.injects[name])
            own["soma"] = soma = build.add(soma, own["noise"])
        before = soma
        if population.normalizes:
            before = self._normalize(name, soma)
        elif self.graph.has_bias(name):
            before = build.offset(soma, self._state(f"bias/{name}", name))
        self.before_transfer[name] = before
        self.answers[name] = own["rate"] = build.transfer(before, population.transfer)
        if population.dropout and not self.frozen:
            self.transmitted[name] = self._drop_out(name, population.dropout)
            own["rate"] = build.multiply(own["rate"], self.transmitted[name])

    def _injected(self, name: str, how: Noise) -> Ref:
        shape = self.graph.shapes[name]
        noise = NoiseInput(name=f"noise/{name}", shape=shape, distribution=how.noise, scale=how.scale)
        self.conduction.noise[noise.name] = noise
        return self.builder.input(noise.name, shape, role="noise", batched=True)

    def _drop_out(self, name: str, probability: float) -> Ref:
        """The factor of each neuron's rate: 0 with this probability, else what keeps the rate's mean."""
        build, shape = self.builder, self.graph.shapes[name]
        noise = NoiseInput(name=f"dropout/{name}", shape=shape, distribution="uniform")
        self.conduction.noise[noise.name] = noise
        drawn = build.input(noise.name, shape, role="noise", batched=True)
        # Of unit variance, uniform noise lies between -sqrt(3) and sqrt(3).
        transmits = build.function(build.shift(drawn, -sqrt(3) * (2 * probability - 1)), "step")
        return build.scale(transmits, 1 / (1 - probability))

    def _normalize(self, name: str, soma: Ref) -> Ref:
        how = self.graph.populations[name].normalize
        assert isinstance(how, BatchNormalization)
        gain, bias, mean, variance = (
            self._state(f"{kind}/{name}", name) for kind in ("gain", "bias", "running_mean", "running_variance")
        )
        if self.frozen:
            return self.builder.normalize_fixed(soma, gain, bias, mean, variance, epsilon=how.epsilon)
        normalize = partial(normalize_together, self.builder) if self.synchronise else self.builder.normalize
        answer, batch_mean, deviation, new_mean, new_variance = normalize(
            soma, gain, bias, mean, variance, epsilon=how.epsilon, momentum=how.momentum
        )
        self.statistics |= {f"running_mean/{name}": new_mean, f"running_variance/{name}": new_variance}
        self.normalization[name] = (gain, batch_mean, deviation)
        self.compartments[name]["drive"] = self.builder.standardize(soma, batch_mean, deviation)
        return answer

    def _state(self, name: str, channels_of: str) -> Ref:
        return self.builder.input(name, self.graph.shapes[channels_of][:1], role="state")
