"""/alignment: how feedback stood to feedforward, by projection and by population."""

from typing import Any

from .attributes import ALIGNMENT, ANGLE, OF_PROJECTION
from .inspection import Inspection, Place

QUANTITIES = {"projections": ("matrix_angle", "norm_ratio"), "populations": ("delta_angle", "local_angle")}


def check_alignment(file: Inspection) -> None:
    """Table 4 and the columns. In version 1 there were delta angles alone, in /signals and along /synapses/step."""
    if file.version == 1:
        for name in file.members("signals"):
            _check_quantity(file, "synapses", ("signals", name, "delta_angle"))
        return
    for kind, quantities in QUANTITIES.items():
        positions = dict[str, int]()
        for name in file.members("alignment", kind):
            place = "alignment", kind, name
            file.shared("alignment", *place)
            said = [_check_quantity(file, "alignment", (*place, quantity)) for quantity in quantities]
            for attribute in ("position", "reverse"):
                if len({one[attribute] for one in said if attribute in one}) > 1:
                    file.notes.add(f"{' and '.join(quantities)} must have one {attribute}", *place)
            if "position" in said[0]:
                positions[name] = said[0]["position"]
            if "reverse" in said[0]:
                _check_reverse(file, name, said[0]["reverse"])
        file.ranks(positions, "alignment", kind)


def _check_quantity(file: Inspection, index: str, place: Place) -> dict[str, Any]:
    """A column; its attributes."""
    quantity = place[-1]
    angle = quantity.endswith("_angle")
    of_projection = OF_PROJECTION if quantity in QUANTITIES["projections"] else {}
    said, values = file.column(index, place, ALIGNMENT | (ANGLE if angle else {}) | of_projection)
    if values is not None and angle and ((values < 0) | (values > 180)).any():
        file.notes.add("angles must lie between 0 and 180 degrees, or be NaN", *place)
    if values is not None and not angle and (values < 0).any():
        file.notes.add("ratios of norms must not be negative", *place)
    return said


def _check_reverse(file: Inspection, name: str, reverse: str) -> None:
    """Where the weights of the reverse are recorded, they say the same."""
    place = "synapses", reverse, "weights"
    if "/" in reverse or reverse not in file.store.groups("synapses"):
        return
    said = file.notes.attempt(file.store.attributes, *place) or {}
    if said.get("reverse_of", name) != name:
        file.notes.add(
            f"attribute 'reverse' must name the reverse of '{name}' (got '{reverse}', that of '{said['reverse_of']}')",
            "alignment", "projections", name, "matrix_angle",
        )  # fmt: skip
