"""The projections that bring errors back under a learning system: reverses, or direct ones from the outputs."""

from collections.abc import Iterator

from . import names
from .assignment import Assignment
from .declarations import Kaiming, Population, Projection, Tie
from .errors import CircuitError
from .wiring import Dense
from .yamlfile import Document, Path_


class Feedback:
    """The feedback stream of `partnered`, the forward populations that errors reach. `document` tells where the circuit
    was written.

    Projections come with the path where the learning system stands that their rules are from.
    """

    def __init__(self, assigned: Assignment, partnered: tuple[str, ...], document: Document) -> None:
        self.assigned = assigned
        self.graph, self.system = assigned.graph, assigned.system
        self.partnered = partnered
        self.document = document

    @property
    def is_direct(self) -> bool:
        return self.system.feedback.pathway == "direct"

    def projections(self) -> Iterator[tuple[Projection, Path_]]:
        """All of them, on the pathway that the system names."""
        return self._direct() if self.is_direct else self._reverses()

    def populations(self) -> Iterator[tuple[str, Population]]:
        """Those that carry targets, where these are sent; then partners, in the order in which errors reach them."""
        if self.is_direct and self.system.feedback.sends == "target":
            yield from self._targets()
        for name in reversed(self.partnered):
            yield names.partner(name), Population(partner=name, shape=self.graph.shapes[name])

    def _reverses(self) -> Iterator[tuple[Projection, Path_]]:
        """The reverse of every projection between partnered populations, last first: the order in which errors run.

        With each, where the learning system stands that its rules come from.
        """
        for projection in reversed(self.graph.circuit.projections):
            label = projection.label
            if not {projection.source, projection.target} <= set(self.partnered):
                continue
            if self.assigned.systems[label].feedback.pathway == "none":
                continue
            reverse = Projection.model_validate(
                {
                    "name": names.reverse(label),
                    "from": names.partner(projection.target),
                    "to": names.partner(projection.source),
                    "reverse_of": label,
                }
            )
            yield (
                (self._own_weights(reverse, projection) if self.graph.weighted(label) else reverse),
                self.assigned.places[label],
            )

    def _own_weights(self, reverse: Projection, projection: Projection) -> Projection:
        label = projection.label
        update: dict[str, object] = {"initial": projection.initial, "plastic": projection.plastic}
        feedback = self.assigned.systems[label].feedback
        tie = feedback.weights
        if not projection.plastic:  # a constant reverses exactly, as a pool does
            tie = "transpose_of"
        if tie == "independent":
            plans = self.assigned.systems[label].modes
            update["rules"] = {mode: plan.feedback for mode, plan in plans.items() if plan.feedback}
            update["parameters"] = self.assigned.parameters(label)
            update["bounds"] = projection.bounds
        else:
            how_large = {"magnitude": feedback.magnitude} if tie == "sign_of" else {}
            update["weights"] = Tie.model_validate({tie: label, **how_large})
            if feedback.magnitude != "fan_out" and projection.initial.spread(1, 1).rms == 0:
                update["initial"] = Kaiming()  # through synapses of no magnitude no error would ever pass
        return reverse.model_copy(update=update)

    def _direct(self) -> Iterator[tuple[Projection, Path_]]:
        """From each output's error, or its target, to every other population that learns."""
        shared = self.system.feedback.onto_maps == "shared"
        rules = {mode: plan.feedback for mode, plan in self.system.modes.items() if plan.feedback}
        sender = names.target if self.system.feedback.sends == "target" else names.partner
        for output in self.graph.outputs:
            for name in self.partnered:
                if name in self.graph.outputs:
                    continue
                on_maps = len(self.graph.shapes[name]) == 3
                direct = Projection.model_validate(
                    {
                        "name": names.arrow(sender(output), names.partner(name)),
                        "from": sender(output),
                        "to": names.partner(name),
                    }
                )
                direct = direct.model_copy(update={"wiring": Dense(shared=on_maps and shared), "rules": rules})
                yield direct, ("learning",)

    def _targets(self) -> Iterator[tuple[str, Population]]:
        """Populations that carry the targets of the outputs."""
        for output in self.graph.outputs:
            name = names.target(output)
            if name in self.graph.populations:
                message = f"'{self.system.name}' needs the name '{name}' for what carries the target of '{output}'"
                raise CircuitError(self.document.problem(f"{message}: choose another", ("populations", name)))
            yield name, Population(target=output)
