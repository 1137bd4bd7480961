"""/synapses: weights, their axes, what they say of themselves, and how those of a pair fit together."""

from collections.abc import Mapping

from .. import contents, guard
from ..errors import Damage
from ..recorded import RecordedSynapse
from .attributes import RULE, TEXT, WEIGHTS
from .compressed import check_compressed, values
from .inspection import Inspection, axis_names

AXES = {2: ("out", "in"), 4: ("out", "in", "kernel_row", "kernel_column")}


def check_synapses(file: Inspection) -> None:
    """Table 2 and the shapes, axes and rows of every projection."""
    found = dict[str, RecordedSynapse]()
    for name in file.members("synapses"):
        place = "synapses", name, "weights"
        file.attributes(place, WEIGHTS)
        file.plain(place, RULE, TEXT)
        file.shared("synapses", "synapses", name)
        synapse = file.notes.attempt(contents.synapse, file.store, name)
        if synapse is None:
            continue
        found[name] = synapse
        own = file.counted(place[:2], axis_names(AXES, len(synapse.shape)), synapse.shape)
        file.axes(place, [("synapses", "step"), *own])
        file.stored(place, "synapses")
        if file.store.has("synapses", name, "unseen"):
            _check_unseen(file, name, synapse.shape)
            file.axes(("synapses", name, "unseen"), own)
    _check_pairs(file, found)
    file.ranks({name: synapse.position for name, synapse in found.items()}, "synapses")


def _check_pairs(file: Inspection, found: Mapping[str, RecordedSynapse]) -> None:
    """B has the shape of W, and no other B is the reverse of the same W."""
    reverses = dict[str, str]()
    for name, synapse in found.items():
        if synapse.reverse_of is None:
            continue
        place = "synapses", name, "weights"
        other = reverses.setdefault(synapse.reverse_of, name)
        if other != name:
            file.notes.add(
                f"attribute 'reverse_of' must name a projection that no other reverses (got '{synapse.reverse_of}', "
                f"as '{other}' does)",
                *place,
            )
        forward = found.get(synapse.reverse_of)
        if forward and forward.shape != synapse.shape:
            file.notes.add(
                f"must have the shape {forward.shape} of '{synapse.reverse_of}' (got {synapse.shape})", *place
            )


def _check_unseen(file: Inspection, name: str, shape: tuple[int, ...]) -> None:
    place = "synapses", name, "unseen"
    dataset = file.notes.attempt(file.store.dataset, *place)
    if dataset is None:
        return
    with file.notes.noting(*place):
        guard.check_type(dataset, "|u1")
        if dataset.shape != shape:
            raise Damage(f"must have the weights' shape {shape} (got {dataset.shape})")
        guard.check_stored(dataset)
        if not dataset.chunks:
            raise Damage("must be stored in chunks")
        if dataset.id.get_create_plist().get_nfilters():
            check_compressed(dataset)
        if any(part.max(initial=0) > 1 for part in values(dataset)):
            raise Damage("must hold 0 and 1 alone")
