"""The two streams of a circuit as operations: activity upwards, errors back through the partners.

Each population leaves its compartments behind, for rules and readers.
"""

from collections.abc import Mapping
from functools import partial
from math import sqrt

from ...circuits.declarations import BatchNormalization, Noise
from ...circuits.errors import CircuitError, suggest
from ...circuits.graph import Graph
from ...circuits.injection import injected
from ...circuits.locality import conducts, taught
from ...circuits.plasticity import answers_linearly
from ...circuits.wiring import Pool
from .builder import ProgramBuilder, Ref
from .errors import cannot
from .magnitudes import magnitude_name, redrawn_magnitudes, with_signs
from .noise import NoiseInput
from .normalization import normalize_back_together, normalize_together
from .state import weights_name

Compartments = dict[str, Ref]


class Streams:
    """Builds forward and feedback stream of one mode with data.

    After `activity()`, and `feedback()` where there is a feedback stream, `compartments[population][name]` holds every
    compartment. With `frozen`, populations normalize by their running statistics, none drops out, and there is no way
    back. With `synchronise`, populations normalize over the batch of all ranks. With `soft_targets`, outputs with a
    cross-entropy are told rates of all classes instead of a class. `noise` is injected, by population, in place of what
    the mode says; with `frozen` none is.
    """

    def __init__(
        self,
        builder: ProgramBuilder,
        graph: Graph,
        mode: str,
        *,
        frozen: bool = False,
        synchronise: bool = False,
        soft_targets: bool = False,
        noise: Mapping[str, Noise] | None = None,
    ) -> None:
        self.builder = builder
        self.graph = graph
        self.mode = mode
        self.injects: Mapping[str, Noise] = {} if frozen else injected(graph, mode) if noise is None else noise
        declared = graph.circuit.modes.get(mode)
        self._errs = declared is None or declared.errs
        self.frozen = frozen
        self.synchronise = synchronise
        self.soft_targets = soft_targets
        self.compartments: dict[str, Compartments] = {}
        self.statistics: dict[str, Ref] = {}
        """New running statistics by state name."""
        self.normalized_sums: dict[str, tuple[Ref, Ref]] = {}
        """By population: the summed gated * drive and the summed gated, which fall out of undoing the normalization."""
        self.noise: dict[str, NoiseInput] = {}
        """The noise that is injected, that decides who drops out, and how large redrawn synapses are, by the input's
        name."""
        self._redrawn = redrawn_magnitudes(graph)
        self._before_transfer: dict[str, Ref] = {}
        self._answers: dict[str, Ref] = {}
        """Rates before anyone drops out."""
        self._transmitted: dict[str, Ref] = {}
        """By population with dropout: the factor of each neuron's rate, 0 or 1 / (1 - p)."""
        self._normalization: dict[str, tuple[Ref, Ref, Ref]] = {}

    # ---- state

    def state(self, name: str, channels_of: str) -> Ref:
        return self.builder.input(name, self.graph.shapes[channels_of][:1], role="state")

    def weights(self, label: str) -> Ref | None:
        """The weights of a projection, ties resolved; None where its wiring has none."""
        geometry = self.graph.geometries[label]
        if geometry.weight_shape is None:
            return None
        own = self.builder.input(weights_name(self.graph, label), geometry.weight_shape, role="state")
        tie = self.graph.projections[label].tie
        if tie is None or tie.kind != "sign_of":
            return own
        if label in self._redrawn:
            self.noise[magnitude_name(label)] = self._redrawn[label]
        return with_signs(self.builder, self.graph, label, own, self._redrawn)

    def label(self, population: str) -> Ref:
        """What the outside says an output should be: a class for cross-entropy and label populations, else activity."""
        declared = self.graph.populations[population]
        one_of_all = declared.output_loss == "cross_entropy" and not self.soft_targets
        is_class = declared.target is not None or one_of_all
        shape = () if is_class else self.graph.shapes[population]
        return self.builder.input(
            f"label/{population}", shape, role="label", batched=True, dtype="int" if is_class else "float"
        )

    # ---- forward

    def activity(self) -> None:
        """The forward stream, sources first."""
        for name in self.graph.forward:
            population = self.graph.populations[name]
            if population.input is not None:
                rate = self.builder.input(f"data/{name}", population.input, role="data", batched=True)
                self.compartments[name] = {"soma": rate, "rate": rate}
            elif population.target is not None:
                rate = self._code(name, population.target)
                self.compartments[name] = {"soma": rate, "rate": rate}
            else:
                self._answer(name)

    def _code(self, name: str, target: int | str) -> Ref:
        """A label as activity: its own, over so many classes, or that of an output, as its loss compares it."""
        label = self.label(target if isinstance(target, str) else name)
        is_class = self.builder[label]["dtype"] == "int"
        return self.builder.one_hot(label, self.graph.shapes[name][0]) if is_class else label

    def _answer(self, name: str) -> None:
        population, build = self.graph.populations[name], self.builder
        soma = self._current(name)
        if soma is None:
            raise cannot(f"nothing conducts to '{name}' in mode '{self.mode}'", f"populations.{name}")
        own = self.compartments[name] = {"soma": soma}
        if name in self.injects:
            own["noise"] = self._injected(name, self.injects[name])
            own["soma"] = soma = build.add(soma, own["noise"])
        before = soma
        if population.normalizes:
            before = self._normalize(name, soma)
        elif self.graph.has_bias(name):
            before = build.offset(soma, self.state(f"bias/{name}", name))
        self._before_transfer[name] = before
        self._answers[name] = own["rate"] = build.transfer(before, population.transfer)
        if population.dropout and not self.frozen:
            self._transmitted[name] = self._drop_out(name, population.dropout)
            own["rate"] = build.multiply(own["rate"], self._transmitted[name])

    def _current(self, name: str) -> Ref | None:
        """The summed input of a population from its own stream, or None where nothing conducts."""
        currents = []
        for label in self.graph.into(name):
            projection = self.graph.projections[label]
            if not conducts(self.graph, projection.modes, self.mode) or projection.source not in self.compartments:
                continue
            pre, geometry = self.compartments[projection.source]["rate"], self.graph.geometries[label]
            if projection.reverse_of is None:
                currents.append(self.builder.project(pre, self.weights(label), geometry))
            else:
                # A maximum's way back leads through the neuron that won, so it needs the activity below.
                is_max = isinstance(geometry.wiring, Pool) and geometry.wiring.over == "max"
                below = self.graph.projections[projection.reverse_of].source
                lower = self.compartments[below]["rate"] if is_max else None
                currents.append(self.builder.project_back(pre, self.weights(label), lower, geometry))
        return self.builder.total(currents) if currents else None

    def _injected(self, name: str, how: Noise) -> Ref:
        shape = self.graph.shapes[name]
        noise = NoiseInput(name=f"noise/{name}", shape=shape, distribution=how.noise, scale=how.scale)
        self.noise[noise.name] = noise
        return self.builder.input(noise.name, shape, role="noise", batched=True)

    def _drop_out(self, name: str, probability: float) -> Ref:
        """The factor of each neuron's rate: 0 with this probability, else what keeps the rate's mean."""
        build, shape = self.builder, self.graph.shapes[name]
        noise = NoiseInput(name=f"dropout/{name}", shape=shape, distribution="uniform")
        self.noise[noise.name] = noise
        drawn = build.input(noise.name, shape, role="noise", batched=True)
        # Of unit variance, uniform noise lies between -sqrt(3) and sqrt(3).
        transmits = build.function(build.shift(drawn, -sqrt(3) * (2 * probability - 1)), "step")
        return build.scale(transmits, 1 / (1 - probability))

    def _normalize(self, name: str, soma: Ref) -> Ref:
        how = self.graph.populations[name].normalize
        assert isinstance(how, BatchNormalization)
        gain, bias, mean, variance = (
            self.state(f"{kind}/{name}", name) for kind in ("gain", "bias", "running_mean", "running_variance")
        )
        if self.frozen:
            return self.builder.normalize_fixed(soma, gain, bias, mean, variance, epsilon=how.epsilon)
        normalize = partial(normalize_together, self.builder) if self.synchronise else self.builder.normalize
        answer, batch_mean, deviation, new_mean, new_variance = normalize(
            soma, gain, bias, mean, variance, epsilon=how.epsilon, momentum=how.momentum
        )
        self.statistics |= {f"running_mean/{name}": new_mean, f"running_variance/{name}": new_variance}
        self._normalization[name] = (gain, batch_mean, deviation)
        self.compartments[name]["drive"] = self.builder.standardize(soma, batch_mean, deviation)
        return answer

    # ---- feedback

    def feedback(self) -> None:
        """The feedback stream, outputs first, and the cross-projections that teach."""
        for name in self.graph.feedback:
            if driven(self.graph, name, self.mode):
                self._follow(name)
            elif not self._errs:
                raise undriven(name, self.mode)
            else:
                self._err(name)
        for name in (*self.graph.feedback, *self.graph.forward):
            told = taught(self.graph, name, self.mode)
            if told is not None:
                self._listen(name, told)

    def _listen(self, name: str, told: str) -> None:
        """What a population hears of its partner: the compartment `told` and, in feedback neurons, injected noise."""
        own = self.graph.populations[name].partner
        partner = self.compartments[own or self.graph.partners[name]]
        self.compartments[name]["apical"] = partner[told]
        if own is not None and "noise" in partner:
            self.compartments[name]["noise"] = partner["noise"]

    def _follow(self, name: str) -> None:
        """A feedback population that is clamped to its partner: its rate is what the partner answers."""
        partner = self.graph.populations[name].partner
        assert partner is not None
        mode, seen = self.graph.circuit.modes[self.mode], self.compartments[partner]
        linear = answers_linearly(self.graph.populations[partner], mode)
        arriving = self._current(name)
        if arriving is None:
            arriving = self.builder.scale(self.builder.ones(seen["soma"], self.graph.shapes[name]), 0.0)
        self.compartments[name] = {"soma": arriving, "rate": seen["soma"] if linear else seen["rate"]}

    def _err(self, name: str) -> None:
        partner = self.graph.populations[name].partner
        assert partner is not None
        build, answer = self.builder, self._before_transfer[partner]
        loss = self.graph.populations[partner].output_loss
        arriving = self._current(name)
        if loss == "squared":
            own = build.error(self.compartments[partner]["rate"], self.label(partner), loss)
            arriving = own if arriving is None else build.add(arriving, own)
        gated = None if arriving is None else self._gate(name, partner, arriving)
        if loss in ("cross_entropy", "binary_cross_entropy"):
            # These losses give the error before the transfer function: nothing is left to gate.
            error = build.error(answer, self.label(partner), loss)
            gated = error if gated is None else build.add(gated, error)
        if gated is None:
            gated = build.scale(build.ones(answer, self.graph.shapes[name]), 0.0)
        soma = gated if arriving is None else arriving
        self.compartments[name] = {"soma": soma, "gated": gated, "rate": self._undo(name, partner, gated)}

    def _gated_by_partner(self, name: str) -> bool:
        return any(
            cross.role == "gate" and conducts(self.graph, cross.modes, self.mode)
            for cross in self.graph.cross_onto(name)
        )

    def _gate(self, name: str, partner: str, soma: Ref) -> Ref:
        if not self._gated_by_partner(name):
            return soma
        transfer = self.graph.populations[partner].transfer
        if transfer == "softmax":
            raise cannot("a softmax output must be last: no error can pass back through it", f"populations.{partner}")
        if partner in self._transmitted:  # the derivative of what the neuron really transmits
            soma = self.builder.multiply(soma, self._transmitted[partner])
        return self.builder.gate(soma, self._before_transfer[partner], self._answers[partner], transfer)

    def _undo(self, name: str, partner: str, gated: Ref) -> Ref:
        """The error at the partner's soma, from the error behind its normalization."""
        if partner not in self._normalization or not self._gated_by_partner(name):
            return gated
        gain, mean, deviation = self._normalization[partner]
        undo = partial(normalize_back_together, self.builder) if self.synchronise else self.builder.normalize_back
        error, by_drive, alone = undo(gated, self.compartments[partner]["soma"], gain, mean, deviation)
        self.normalized_sums[partner] = (by_drive, alone)
        return error

    def echo(self, label: str) -> Ref:
        """What the neurons that a projection drives would send back through it of their apical activity."""
        projection, geometry = self.graph.projections[label], self.graph.geometries[label]
        target = self.compartments[projection.target]
        if "apical" not in target:
            raise cannot(f"the rule of '{label}' reads pre.echo, but nothing teaches '{projection.target}'", label)
        weights = self.weights(label)
        if projection.reverse_of is not None:
            return self.builder.project(target["apical"], weights, geometry)
        return self.builder.project_back(target["apical"], weights, None, geometry)

    # ---- results

    def named(self, name: str) -> Ref:
        """The compartment that "POPULATION.COMPARTMENT" names. Raises CircuitError with the nearest valid names."""
        population, _, compartment = name.rpartition(".")
        if population not in self.compartments:
            hint = suggest(population or name, self.compartments, "populations")
            raise cannot(f"read takes 'POPULATION.COMPARTMENT' (got '{name}'). {hint}")
        available = self.compartments[population]
        if compartment not in available:
            raise cannot(f"'{population}' has no '{compartment}'. {suggest(compartment, available, 'compartments')}")
        return available[compartment]

    def holds(self, name: str) -> bool:
        """Whether "POPULATION.COMPARTMENT" is there in this mode."""
        population, _, compartment = name.rpartition(".")
        return compartment in self.compartments.get(population, {})

    def losses(self) -> Mapping[str, Ref]:
        """loss/OUTPUT for every output population, and accuracy/OUTPUT for those that may stand for classes.

        Where activities are compared, the accuracy means something only if the label is the code of a class, which the
        caller knows.
        """
        found: dict[str, Ref] = {}
        for name in self.graph.outputs:
            seen, label, loss = self._compared(name)
            found[f"loss/{name}"] = self.builder.loss(seen, label, loss)
            if len(self.graph.shapes[name]) == 1 and self.graph.shapes[name] != (1,):
                found[f"accuracy/{name}"] = self.builder.accuracy(seen, label)
        return found

    def judged(self, output: str) -> tuple[Ref, Ref, str]:
        """What the loss of an output compares: the output, the label as activity, and the loss."""
        seen, label, loss = self._compared(output)
        is_class = self.builder[label].shape != self.graph.shapes[output]
        return seen, self.builder.one_hot(label, self.graph.shapes[output][0]) if is_class else label, loss

    def _compared(self, output: str) -> tuple[Ref, Ref, str]:
        """The output as its loss looks at it, the label as it is given, and the loss."""
        loss = self.graph.populations[output].output_loss
        assert loss is not None
        seen = self.compartments[output]["rate"] if loss == "squared" else self._before_transfer[output]
        return seen, self.label(output), loss

    def score(self, output: str) -> Ref:
        """What an output's loss compares with the label, and what ranks classes: activity as its loss takes it."""
        return self._compared(output)[0]


def both_streams(
    graph: Graph,
    mode: str,
    name: str,
    *,
    shared: bool = False,
    synchronise: bool = False,
    soft_targets: bool = False,
) -> tuple[ProgramBuilder, Streams]:
    """Both streams of a mode with data, in a new program called `name`; see `ProgramBuilder`, `Streams`."""
    builder = ProgramBuilder(name, shared=shared)
    streams = Streams(builder, graph, mode, synchronise=synchronise, soft_targets=soft_targets)
    streams.activity()
    streams.feedback()
    return builder, streams


def driven(graph: Graph, population: str, mode: str) -> bool:
    """Whether a cross-projection clamps a feedback population to its partner in a mode."""
    return any(cross.role == "drive" and conducts(graph, cross.modes, mode) for cross in graph.cross_onto(population))


def undriven(population: str, mode: str) -> CircuitError:
    """What is wrong with a feedback population that should be clamped to its partner and is not."""
    remedy = "say clamp: partner in the mode, or declare a cross-projection with role drive"
    return cannot(f"nothing drives '{population}' in mode '{mode}': {remedy}", population)
