"""What must hold of a projection: its name, and the two populations that it joins."""

from collections.abc import Iterator

from .. import names
from ..declarations import Projection
from ..errors import Problem, suggest
from ..yamlfile import Path_
from .declared import Declared
from .reverses import check_reverse
from .ties import check_tie


def check_projections(declared: Declared) -> Iterator[Problem]:
    """What is wrong with projections, by themselves and as reverses and tied ones. Names come first."""
    for index, projection in enumerate(declared.circuit.projections):
        yield from _check_name(declared, projection, ("projections", index))
    for label in declared.projections:
        yield from _check_ends(declared, label)
        yield from check_tie(declared, label)


def _check_name(declared: Declared, projection: Projection, path: Path_) -> Iterator[Problem]:
    label = projection.label
    if declared.places[label] != path:
        yield declared.problem(f"two projections must not share the name '{label}': name parallel ones", *path)
    elif wrong := projection.name and names.complaint(projection.name, projection=True):
        yield declared.problem(wrong, *path, "name")
    elif label.endswith(names.PARTNER) and not _between_feedback(declared, projection):
        yield declared.problem(f"a name that ends with '{names.PARTNER}' belongs to a feedback projection", *path)


def _between_feedback(declared: Declared, projection: Projection) -> bool:
    ends = (declared.populations.get(projection.source), declared.populations.get(projection.target))
    return any(end is None or end.is_feedback for end in ends)  # an unknown end is named elsewhere


def _check_ends(declared: Declared, label: str) -> Iterator[Problem]:
    """Both ends, and what depends on them: where one is unknown or in the wrong stream, nothing more can be said."""
    projection, path = declared.projections[label], declared.places[label]
    ends = {"from": projection.source, "to": projection.target}
    for end, name in ends.items():
        if name not in declared.populations:
            hint = suggest(name, declared.populations, "populations")
            yield declared.problem(f"unknown population '{name}'. {hint}", *path, end)
    if not declared.populations.keys() >= set(ends.values()):
        return
    source, target = declared.populations[projection.source], declared.populations[projection.target]
    if target.is_source:
        yield declared.problem(f"nothing projects to a source of activity ('{projection.target}')", *path, "to")
    sends_label = source.target is not None and target.is_feedback
    if source.is_feedback != target.is_feedback and not sends_label:
        yield declared.problem(
            "a projection stays in its stream; between the streams run cross-projections, and projections from "
            f"what carries a target (got {projection.source} -> {projection.target})",
            *path,
        )
        return
    if source.transfer == "softmax":
        message = f"a softmax output must be last: no error can pass back through '{projection.source}'"
        yield declared.problem(message, *path)
    if projection.wiring is None and projection.reverse_of is None:
        yield declared.problem("a projection needs a wiring: dense, conv, pool, one_to_one, flatten", *path)
    yield from check_reverse(declared, label)
