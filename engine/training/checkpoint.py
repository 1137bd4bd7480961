"""One checkpoint: a file with everything that a run needs to go on as if it had never stopped.

It holds what the simulator's `state_dict` gives (both weights, statistics, traces, how many steps of each mode were
run) and what the training loop was counting. There is no state of a random generator: order, augmentation and noise
follow from (seed, epoch, sample) and (seed, mode, name, step).
"""

import io
import os
import pickle
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray

from .errors import CheckpointError
from .identity import Identity

MAGIC = "counterstream checkpoint"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The state after `step` steps. `state` is for `Simulator.load_state_dict`; `progress` is the training loop's."""

    step: int
    identity: Identity
    progress: Mapping[str, Any]
    state: Mapping[str, NDArray[Any]]


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint so that `path` holds either what was there before or all of it, on the disk itself.

    Raises CheckpointError where that cannot be done; nothing is left behind then, and what was at `path` stays.
    """
    partial = path.with_name(f".{path.name}.tmp")
    try:
        content = _bytes(checkpoint)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        _synchronise(path.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise CheckpointError(
            f"{path}: the checkpoint cannot be written ({error.strerror or error}). Earlier ones are as they were. "
            "Make room or choose another --output, then go on with --resume"
        ) from error


def load(path: Path) -> Checkpoint:
    """Read a checkpoint. Nothing in it is executed. Raises CheckpointError for what is none, or is not whole."""
    try:
        with warnings.catch_warnings(action="ignore"):  # about files that are none of ours, which are refused below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is truncated, or no checkpoint"
        raise CheckpointError(f"{path}: the checkpoint cannot be read ({said})") from error
    if not isinstance(content, dict) or content.get("magic") != MAGIC:
        raise CheckpointError(f"{path}: the file must be a checkpoint of Counterstream (it is not)")
    if content.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: format must be {FORMAT} (got {content.get('format')}). Use the version that wrote it"
        )
    state = {name: tensor.numpy() for name, tensor in content["state"].items()}
    damaged = [name for name, array in state.items() if _checksum(array) != content["checksums"][name]]
    if damaged:
        raise CheckpointError(f"{path}: the checkpoint cannot be read ({damaged[0]} is not what was written)")
    return Checkpoint(step=content["step"], identity=content["identity"], progress=content["progress"], state=state)


def _bytes(checkpoint: Checkpoint) -> memoryview:
    """The file's content. Made in memory: torch's own writer does not survive a full disk."""
    buffer = io.BytesIO()
    content = {
        "magic": MAGIC,
        "format": FORMAT,
        "package": version("counterstream"),
        "step": checkpoint.step,
        "identity": dict(checkpoint.identity),
        "progress": dict(checkpoint.progress),
        "state": {name: torch.from_numpy(np.asarray(array)) for name, array in checkpoint.state.items()},
        "checksums": {name: _checksum(array) for name, array in checkpoint.state.items()},
    }
    torch.save(content, buffer)
    return buffer.getbuffer()


def _checksum(array: NDArray[Any]) -> int:
    return crc32(np.ascontiguousarray(array).tobytes())


def _synchronise(folder: Path) -> None:
    """See the new name onto the disk, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
