"""Recordings that look like the five learning systems', written in a moment: angles follow chosen curves.

Written with h5py from docs/hdf5-format.md, not by the recorder, so that reader and writer are each held to the page.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

SHAPES = {
    "image->v1": (8, 1, 3, 3),
    "stage1.block1.conv1": (8, 8, 3, 3),
    "stage2.block1.conv1": (16, 8, 3, 3),
    "stage2.block1.shortcut": (16, 8, 1, 1),
    "stage3.block1.conv1": (24, 16, 3, 3),
    "pooled->digit": (10, 24),
}
AXES = {2: ("out", "in"), 4: ("out", "in", "kernel_row", "kernel_column")}
POPULATIONS = ("v1", "stage1.block1", "stage2.block1")
RULES = {"rule_engaged": "-post.apical * pre.rate - decay * w"}
TEXT = h5py.string_dtype("utf-8")
DTYPES = {"float64": "<f8", "float32": "<f4", "float16": "<f2", "bfloat16": "<u2"}
Curve = Callable[[float, float], float]  # (epoch, depth from 0 to 1) -> degrees


def record(
    path: Path,
    *,
    learning: str = "kolen_pollack",
    curve: Curve | None,
    transports: bool = False,
    tie: str | None = None,
    delta: float = 0.7,
    seed: int = 0,
    epochs: int = 10,
    version: int = 2,
    accuracy: float | None = None,
    **storage: Any,
) -> Path:
    """Writes a run whose B stands at `curve` degrees to W (None: no reverse projections)."""
    random = np.random.default_rng(seed)
    angles = {name: [] for name in list(SHAPES)[1:]}
    weights: dict[str, list[np.ndarray]] = {name: [] for name in SHAPES}
    for epoch in range(epochs + 1):
        for depth, (name, shape) in enumerate(SHAPES.items(), start=-1):
            weights[name].append(random.normal(size=shape))
            if curve and depth >= 0:
                angles[name].append(curve(epoch, depth / (len(SHAPES) - 2)))
                weights.setdefault(f"{name}~", []).append(at_angle(weights[name][-1], angles[name][-1], random))
    instants = [(epoch * 23, epoch) for epoch in range(epochs + 1)]
    identity = {"circuit_name": "digits", "learning": learning, "transports_weights": transports, "seed": seed}
    texts = {"circuit": "name: digits\n", "experiment": "epochs: 10\n", "environment": {"torch": "2.11.0"}}
    with begun(path, version=version, **identity, **texts) as file:
        index(file["synapses"], instants)
        for name in SHAPES:
            add_weights(file, name, weights[name], **RULES, **storage)
        for name in list(SHAPES)[1:] if curve else ():
            add_weights(
                file, f"{name}~", weights[f"{name}~"], reverse_of=name, tie=f"{tie} {name}" if tie else "", **storage
            )
        at = [delta * (curve(epoch, 0.5) if curve else 80.0) for epoch in range(epochs + 1)]
        deltas = {name: [value + 3 * number for value in at] for number, name in enumerate(POPULATIONS)}
        if version == 1:
            for name, values in deltas.items():
                column(file["signals"], f"{name}/delta_angle", values, owner="synapses")
        else:
            index(file["alignment"], instants)
            align(file, angles if curve else {}, deltas)
        index(file["metrics"], instants[1:])
        column(file["metrics"], "loss", [2.3 / (epoch + 1) for epoch in range(epochs)])
        column(file["metrics"], "accuracy", [1 - 0.8 / (epoch + 1) for epoch in range(epochs)])
        file["results"].attrs["test_accuracy"] = 0.98 - seed / 100 if accuracy is None else accuracy
        file["results"].attrs["seconds"] = 4.5
        file.attrs["status"] = "complete"
    return path


def pair(path: Path, w: np.ndarray, b: np.ndarray, unseen: np.ndarray | None = None, **more: Any) -> Path:
    """A run of one projection `p` and its reverse; one snapshot, or several where w and b are lists."""
    snapshots = (w, b) if isinstance(w, list) else ([w], [b])
    with begun(path) as file:
        index(file["synapses"], [(step, step) for step in range(len(snapshots[0]))])
        for name, values in zip(("p", "p~"), snapshots, strict=True):
            reverse = {"reverse_of": "p"} if name == "p~" else {}
            add_weights(file, name, values, **({"precision": "float64"} | reverse | more))
        if unseen is not None:
            mask = file["synapses/p"].create_dataset("unseen", data=unseen.astype(np.uint8), compression="gzip")
            _label(mask, *(scale[0] for scale in list(file["synapses/p/weights"].dims)[1:]))
        file.attrs["status"] = "complete"
    return path


def begun(path: Path, *, version: int = 2, status: str = "running", **more: Any) -> h5py.File:
    """A file with all its groups and nothing recorded; `more` replaces attributes, texts and the environment."""
    file = h5py.File(path, "w")
    texts = {name: more.pop(name, "") for name in ("circuit", "experiment")}
    environment: Mapping[str, str] = more.pop("environment", {})
    whole = {"transports_weights": np.uint8(more.pop("transports_weights", 0)), "seed": np.int64(more.pop("seed", 0))}
    file.attrs.update({
        "magic": "counterstream", "format_version": np.int64(version), "created": "2026-11-24T00:00:00+00:00",
        "circuit_name": "", "learning": "", "status": status, "message": "", **whole, **more,
    })  # fmt: skip
    if version > 1:
        file.attrs.update(
            {"package_version": "0.1.0", "git_commit": "", "git_dirty": np.uint8(0), "resumptions": np.int64(0)}
        )
    for name, text in texts.items():
        file.create_dataset(name, data=text, dtype=TEXT)
    for name in ("environment", "results", "synapses", "signals", "metrics"):
        file.create_group(name)
    file["environment"].attrs.update(environment)
    for name in ("synapses", "metrics", *(("signals", "alignment") if version > 1 else ())):
        group = file.require_group(name)
        for which, dtype, fill in (("step", "<i8", -1), ("epoch", "<f8", np.nan)):
            group.create_dataset(which, shape=(0,), maxshape=(None,), chunks=(512,), dtype=dtype, fillvalue=fill)
        group["step"].make_scale("step")
        group["epoch"].dims[0].attach_scale(group["step"])
    if version > 1:
        file.create_group("alignment/projections")
        file.create_group("alignment/populations")
    else:
        _share(file["signals"], file["synapses"])
    return file


def index(group: h5py.Group, instants: list[tuple[int, float]]) -> None:
    """Confirms these (step, epoch) records of a group."""
    for name, values in zip(("step", "epoch"), zip(*instants, strict=True), strict=False):
        group[name].resize(len(values), axis=0)
        group[name][:] = values


def add_weights(
    file: h5py.File, name: str, snapshots: list[np.ndarray], *, precision: str = "float32", **more: Any
) -> None:
    """One projection's weights; `more`: attributes, and what h5py's create_dataset takes."""
    group = file["synapses"].create_group(name)
    _share(group, file["synapses"])
    shape = np.shape(snapshots[0])
    storage = {key: more.pop(key) for key in ("compression", "chunks", "shuffle") if key in more}
    chunks = storage.pop("chunks", (1, *shape))
    dataset = group.create_dataset(
        "weights",
        shape=(len(snapshots), *shape),
        maxshape=(None, *shape),
        dtype=DTYPES[precision],
        chunks=chunks,
        **storage,
    )
    for row, values in enumerate(snapshots):
        dataset[row] = _bits(values) if precision == "bfloat16" else values
    names = AXES.get(len(shape)) or [f"axis{axis}" for axis in range(len(shape))]
    _label(dataset, group["step"], *(_axis(group, axis, size) for axis, size in zip(names, shape, strict=True)))
    role = "feedback" if more.get("reverse_of") else "forward"
    wiring = "conv" if len(shape) == 4 else "dense"
    dataset.attrs.update({
        "source": "a", "target": "b", "role": role, "reverse_of": "", "tie": "", "wiring": wiring,
        "precision": precision,
        "position": np.int64(_rank(file)), "coordinates": "epoch", **more,
    })  # fmt: skip


def column(group: h5py.Group, name: str, values: Any, *, owner: str | None = None, **attributes: Any) -> None:
    """A float64 column; in a group of its own, beside the owner's coordinates, where the name has a slash."""
    place = group.require_group(name.rpartition("/")[0]) if "/" in name else group
    if owner and "step" not in place:
        _share(place, group.file[owner])
    rank = len([key for key in group if key not in ("step", "epoch", name.partition("/")[0])])
    dataset = group.create_dataset(name, data=np.asarray(values, "<f8"), maxshape=(None,), chunks=(512,))
    _label(dataset, place["step"])
    dataset.attrs.update({"position": np.int64(rank), "coordinates": "epoch", **attributes})
    if "angle" in name:
        dataset.attrs["units"] = "degree"


def align(file: h5py.File, matrix: Mapping[str, Any], delta: Mapping[str, Any]) -> None:
    """What the device would have measured; local angles are half the delta angles."""
    group = file["alignment"]
    for name, values in matrix.items():
        column(group["projections"], f"{name}/matrix_angle", values, owner="alignment", reverse=f"{name}~")
        column(group["projections"], f"{name}/norm_ratio", np.ones(len(values)), owner="alignment", reverse=f"{name}~")
        for quantity in ("matrix_angle", "norm_ratio"):
            group[f"projections/{name}/{quantity}"].attrs["position"] = np.int64(list(matrix).index(name))
    for rank, (name, values) in enumerate(delta.items()):
        for quantity, factor in (("delta_angle", 1.0), ("local_angle", 0.5)):
            column(group["populations"], f"{name}/{quantity}", factor * np.asarray(values), owner="alignment")
            group[f"populations/{name}/{quantity}"].attrs["position"] = np.int64(rank)


def add_signal(file: h5py.File, population: str, samples: int, **quantities: list[np.ndarray]) -> None:
    """Rates and deltas of one population on a probe of so many samples."""
    group = file["signals"]
    if "sample" not in group:
        group.create_dataset("sample", data=np.arange(samples, dtype="<i8"))
        group["sample"].make_scale("sample")
        _label(group.create_dataset("label", data=np.arange(samples, dtype="<i8") % 10), group["sample"])
    own = group.create_group(population)
    _share(own, group, "sample", "label")
    for quantity, values in quantities.items():
        dataset = own.create_dataset(quantity, data=np.asarray(values, "<f4"), chunks=(1, *np.shape(values)[1:]))
        names = {1: ("channel",), 3: ("channel", "row", "column")}[dataset.ndim - 2]
        axes = [_axis(own, axis, size) for axis, size in zip(names, dataset.shape[2:], strict=True)]
        _label(dataset, group["step"], group["sample"], *axes)
        rank = len([name for name in group if isinstance(group[name], h5py.Group)]) - 1
        dataset.attrs.update({
            "partner": f"{population}~", "precision": "float32", "position": np.int64(rank),
            "coordinates": "epoch label",
        })  # fmt: skip


def at_angle(w: np.ndarray, degrees: float, random: np.random.Generator) -> np.ndarray:
    """A random array of `w`'s length at exactly this angle to it."""
    other = random.normal(size=w.shape)
    other -= w * (np.vdot(other, w) / np.vdot(w, w))
    other *= np.linalg.norm(w) / np.linalg.norm(other)
    return np.cos(np.radians(degrees)) * w + np.sin(np.radians(degrees)) * other


def _share(group: h5py.Group, owner: h5py.Group, *more: str) -> None:
    for name in ("step", "epoch", *more):
        group[name] = owner[name]


def _axis(group: h5py.Group, name: str, size: int) -> h5py.Dataset:
    """A dimension scale 0, 1, 2, ...; the one that is there already where two arrays share it."""
    if name not in group:
        group.create_dataset(name, data=np.arange(size, dtype="<i4")).make_scale(name)
    return group[name]


def _label(dataset: h5py.Dataset, *scales: h5py.Dataset) -> None:
    for axis, scale in enumerate(scales):
        dataset.dims[axis].attach_scale(scale)


def _rank(file: h5py.File) -> int:
    """The next position: as many as there are projections already."""
    return len([name for name in file["synapses"] if isinstance(file["synapses"][name], h5py.Group)]) - 1


def _bits(values: np.ndarray) -> np.ndarray:
    """bfloat16 of values that it can hold exactly."""
    return (np.asarray(values, np.float32).view(np.uint32) >> 16).astype(np.uint16)
