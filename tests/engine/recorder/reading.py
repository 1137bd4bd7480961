"""A reader of its own, in plain h5py, by docs/hdf5-format.md: what a file confirms, and whether it is whole."""

from pathlib import Path

import h5py
import numpy as np

from . import samples

GROUPS = ("synapses", "signals", "alignment", "metrics")


def everywhere(steps: list[int]) -> dict[str, list[int]]:
    """These steps in each of the four groups."""
    return dict.fromkeys(GROUPS, steps)


def confirmed(group: h5py.Group) -> np.ndarray:
    """The steps of a group's complete records."""
    steps: np.ndarray = group["step"][:]
    unconfirmed = np.flatnonzero(steps < 0)
    return steps[: unconfirmed[0]] if unconfirmed.size else steps


def numbers(dataset: h5py.Dataset, row: int) -> np.ndarray:
    """One record of a dataset, bfloat16 as float32."""
    values: np.ndarray = np.asarray(dataset[row])
    if dataset.attrs.get("precision") == "bfloat16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values


def check_whole(file: h5py.File) -> dict[str, list[int]]:
    """Every confirmed record of an open file of `samples` holds what was written at its step. Gives the steps."""
    found = {group: confirmed(file[group]).tolist() for group in GROUPS}
    for group, steps in found.items():
        assert steps == sorted(set(steps)), group
        for row, step in enumerate(steps):
            assert file[group]["epoch"][row] == step / 4, (group, step)
            for path, expected in expected_rows(group, step).items():
                np.testing.assert_array_equal(numbers(file[group][path], row), expected, err_msg=f"{path}, step {step}")
    return found


def steps_of(path: Path) -> dict[str, list[int]]:
    """`check_whole` of a file."""
    with h5py.File(path, "r") as file:
        return check_whole(file)


def expected_rows(group: str, step: int) -> dict[str, np.ndarray | float]:
    """What every dataset of a group holds at a step, by path."""
    match group:
        case "synapses":
            return {f"{name}/weights": array for name, array in samples.weights(step).items()}
        case "signals":
            return {
                f"{name}/{what}": array for name, own in samples.signals(step).items() for what, array in own.items()
            }
        case "metrics":
            given = samples.metrics(step)
            return {name: given.get(name, np.nan) for name in samples.METRICS}
    given_numbers = samples.alignment(step)
    names = {"matrix_angle": samples.PAIRS, "norm_ratio": samples.PAIRS}
    return {
        f"{'projections' if what in names else 'populations'}/{name}/{what}": values.get(name, np.nan)
        for what, values in given_numbers.items()
        for name in names.get(what, samples.POPULATIONS)
    }
