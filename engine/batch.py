"""What users hand in, checked against what a program wants: arrays by input name, or an error that says what fits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuits.errors import suggest
from ..circuits.wiring import Shape
from .compiler.program import Program
from .errors import SimulationError

_WORDS = {"data": "data", "label": "target", "mod": "modulators"}


def fit(
    program: Program, shapes: Mapping[str, Shape], data: Any, target: Any, modulators: Mapping[str, ArrayLike]
) -> dict[str, Any]:
    """The data, labels and modulators that a program reads, by input name. `shapes` are those of the populations.

    Raises SimulationError for what is missing, has another shape, holds no numbers, or differs in its number
    of samples.
    """
    given = {"data": data, "label": target, "mod": dict(modulators)}
    found: dict[str, Any] = {}
    for name, value in program.inputs.items():
        kind, _, subject = name.partition("/")
        if kind in given:
            array = _pick(given[kind], kind, subject)
            found[name] = fitting(array, name, value.shape, value.batched)
            if value["dtype"] == "int":
                found[name] = _classes(found[name], subject, shapes[subject][0])
    sizes = {name: len(value) for name, value in found.items() if program.inputs[name].batched}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name}: {size}" for name, size in sizes.items())
        raise SimulationError(f"all inputs must hold the same number of samples (got {listed})")
    if 0 in sizes.values():
        raise SimulationError("the data must hold at least one sample (got none)")
    return found


def given_as_classes(program: Program, target: Any) -> frozenset[str]:
    """The outputs whose target was given as classes: of activities, the largest says nothing about accuracy."""
    found = set()
    for name, value in program.inputs.items():
        kind, _, subject = name.partition("/")
        if kind == "label" and (value["dtype"] == "int" or np.ndim(_pick(target, kind, subject)) == 1):
            found.add(subject)
    return frozenset(found)


def numbers(value: Any, subject: str) -> Any:
    """The value as an array of real numbers; tensors pass as they are. Raises SimulationError for anything else."""
    if not isinstance(value, np.ndarray) and hasattr(value, "shape"):
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "buif":
        raise SimulationError(f"'{subject}' takes real numbers (got an array of {array.dtype})")
    return array


def _pick(given: Any, kind: str, subject: str) -> Any:
    word = _WORDS[kind]
    if isinstance(given, Mapping):
        if subject not in given:
            raise SimulationError(f"{word} must be given for '{subject}'. {suggest(subject, given, 'given')}")
        return given[subject]
    if given is None:
        raise SimulationError(f"{word} must be given: the circuit's '{subject}' needs it")
    return given


def fitting(value: Any, name: str, shape: Shape, batched: bool) -> Any:
    """The array as the program wants it; classes become codes where activities are compared."""
    subject = name.partition("/")[2]
    array = numbers(value, subject)
    if name.startswith("label/") and shape and len(array.shape) == 1 and len(shape) == 1 and shape != (1,):
        array = np.eye(shape[0])[_classes(array, subject, shape[0])]
    if tuple(array.shape[1:] if batched else array.shape) != shape or (batched and len(array.shape) == 0):
        wanted = ", ".join(map(str, ("batch", *shape) if batched else shape))
        raise SimulationError(f"'{subject}' takes an array of shape [{wanted}] (got {list(array.shape)})")
    return array


def _classes(given: Any, subject: str, classes: int) -> NDArray[np.int64]:
    array = np.asarray(given.cpu() if hasattr(given, "cpu") else given)  # a tensor on a device comes home first
    wrong = array[~((array >= 0) & (array < classes) & (array == np.floor(array)))]
    if wrong.size:
        raise SimulationError(f"targets of '{subject}' must be classes from 0 to {classes - 1} (got {wrong[0]})")
    return array.astype(np.int64)
