"""What must hold of tied weights: whose they may be, and their shape."""

from collections.abc import Iterator, Mapping

from ..errors import Problem, suggest
from ..wiring import Geometry
from .declared import Declared


def check_tie(declared: Declared, label: str) -> Iterator[Problem]:
    """Why the weights of a projection cannot be tied to those that they name."""
    projection, path = declared.projections[label], (*declared.places[label], "weights")
    tie = projection.tie
    if tie is None:
        return
    owner = declared.projections.get(tie.owner)
    if owner is None or tie.owner == label:
        hint = suggest(tie.owner, [name for name in declared.projections if name != label], "projections")
        yield declared.problem(f"a tie must name another projection (got '{tie.owner}'). {hint}", *path)
    elif owner.tie is not None and (owner.tie.kind != "same_as" or tie.kind == "same_as"):
        message = f"a tie must name a projection with weights of its own ('{owner.label}' is tied)"
        yield declared.problem(message, *path)
    elif tie.kind != "same_as" and projection.reverse_of != tie.owner:
        yield declared.problem(f"{tie.kind} must name the projection that this one reverses", *path)


def check_tied_shape(declared: Declared, label: str, geometries: Mapping[str, Geometry]) -> Iterator[Problem]:
    """Why tied weights cannot be those of their owner: there are none, or they have another shape."""
    projection, path = declared.projections[label], (*declared.places[label], "weights")
    if projection.tie is None:
        return
    owner, weights = projection.tie.owner, geometries[label].weight_shape
    other = geometries[owner].weight_shape if owner in geometries else weights  # it has none: named elsewhere
    if weights is None:
        yield declared.problem(f"'{label}' has no weights to tie ({geometries[label].wiring.kind})", *path)
    elif other != weights:
        found = f"'{label}' has {list(weights)}, '{owner}' has {list(other) if other else 'none'}"
        yield declared.problem(f"a tie joins weights of one shape ({found})", *path)
