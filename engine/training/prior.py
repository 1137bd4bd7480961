"""What an earlier part of an experiment left of a run: its end, a checkpoint to go on from, or nothing of use."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import h5py
import yaml

from ..recorder.file import confirmed
from ..recorder.layout import NOTHING
from .checkpoint import Checkpoint
from .checkpoints import Checkpoints
from .errors import CheckpointError
from .identity import Identity, differences, settings
from .outcome import Outcome

OF_HEADER = ("learning", "seed")


@dataclass(frozen=True, kw_only=True)
class Prior:
    """`outcome`: the run is finished. `checkpoint`: it goes on from there. Neither: it begins, over what is there."""

    outcome: Outcome | None = None
    checkpoint: Checkpoint | None = None

    @classmethod
    def of(cls, recording: Path, identity: Identity, checkpoints: Checkpoints, noted: Callable[[str], None]) -> "Prior":
        """Look at a run's recording and its checkpoints. Raises CheckpointError where they are of another run, or where
        there are checkpoints of which none can be read: to begin anew would lose what was recorded.
        """
        if not recording.exists():
            if checkpoints.exist:
                raise CheckpointError(
                    f"{checkpoints.folder}: the checkpoints must have their recording {recording} beside them (it is "
                    "gone). Put it back, or remove them"
                )
            return cls()
        if (outcome := finished(recording, identity)) is not None:
            return cls(outcome=outcome)
        checkpoint = checkpoints.newest(noted)
        if checkpoint is None and checkpoints.exist:
            raise CheckpointError(
                f"{checkpoints.folder}: one of the checkpoints must be readable to go on (none is). They and the "
                f"recording are left as they are: use the version that wrote them, choose another --output, or remove "
                "that folder to begin this run anew, over its recording"
            )
        if checkpoint is None:
            noted(f"{recording}: there is no checkpoint to go on from; the run begins anew")
        else:
            check_records(recording, checkpoint)
        return cls(checkpoint=checkpoint)


def check_records(recording: Path, checkpoint: Checkpoint) -> None:
    """Raise CheckpointError where the recording lacks records that the checkpoint follows: it is not the one it had."""
    last = checkpoint.progress["recorded_step"]
    with h5py.File(recording, "r", locking=False) as file:
        steps = {int(step) for nothing in NOTHING for step in confirmed(file[nothing.group]["step"])}
    if last is not None and last not in steps:
        raise CheckpointError(
            f"{recording}: the recording must hold the records that its checkpoint of step {checkpoint.step} follows, "
            f"up to step {last} (its last is of step {max(steps, default=0)}). Put back the file that it had"
        )


def finished(recording: Path, identity: Identity) -> Outcome | None:
    """What a recording says that its run came to; None where the run did not come to its end.

    Raises CheckpointError where the file cannot be read, or holds a finished run that is not the one of `identity`.
    """
    try:
        with h5py.File(recording, "r", locking=False) as file:
            status, results = file.attrs["status"], dict(file["results"].attrs)
            plain = yaml.safe_load(file["experiment"][()])
            saved = settings(plain) | {name: file.attrs[name] for name in OF_HEADER}
    except (OSError, KeyError, ValueError, yaml.YAMLError) as error:
        raise CheckpointError(f"{recording}: the recording must be readable to go on ({error})") from error
    if status != "complete":
        return None
    if different := differences(saved, {name: value for name, value in identity.items() if name in saved}):
        raise CheckpointError(
            f"{recording}: the file holds another run, which is finished and is left as it is: it has "
            f"{', '.join(different)}. Take up what was begun, or choose another --output"
        )
    known = {field.name for field in fields(Outcome)}
    return Outcome(**{name: value.item() for name, value in results.items() if name in known})
