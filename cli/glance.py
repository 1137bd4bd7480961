"""One look at a recording that may still grow: how far it is, its latest metrics, how its angles stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..analysis import Run

GROUPS = ("synapses", "alignment", "metrics")
HIDDEN = ("rate", "validation_loss")  # metrics that tell little at a glance


@dataclass(frozen=True, kw_only=True)
class Angles:
    """One kind of angle at its last record: by layer, in the order of the circuit, and at which epoch."""

    kind: str
    layers: Mapping[str, float]
    epoch: float

    @property
    def median(self) -> float:
        from statistics import median

        return median(self.layers.values())

    @property
    def worst(self) -> Sequence[tuple[str, float]]:
        """Layers and their angles, the largest first."""
        return sorted(self.layers.items(), key=lambda item: -item[1])


@dataclass(frozen=True, kw_only=True)
class Glance:
    """What a recording says at one instant.

    epochs: how many are planned, None where that is not recorded. records: how many each group holds. written: when
    the file changed last, created: when the run began, in seconds since 1970 (None: not known, or taken up again).
    """

    path: Path
    title: str
    status: str
    message: str
    step: int
    epoch: float
    epochs: int | None
    records: tuple[int, ...]
    metrics: Mapping[str, float]
    angles: Sequence[Angles]
    results: Mapping[str, Any]
    written: float
    created: float | None

    @property
    def running(self) -> bool:
        return self.status == "running"

    @property
    def share(self) -> float | None:
        """Of the epochs planned, those done."""
        return min(self.epoch / self.epochs, 1.0) if self.epochs else None

    def left(self, first: "Glance", now: float) -> float | None:
        """Seconds that the run will still take at its pace so far; None where the file does not tell."""
        began, done = (self.created, 0.0) if self.created is not None else (first.written, first.epoch)
        spent, gained = self.written - began, self.epoch - done
        if not self.epochs or gained <= 0 or spent <= 0:
            return None
        return max(0.0, (self.epochs - self.epoch) * spent / gained - (now - self.written))


def look(path: Path) -> Glance:
    """Opens the recording, reads and closes it. Its texts come as they may be printed. Raises AnalysisError."""
    from ..analysis import Run
    from ..analysis.printable import printable, printable_lines

    written = _written(path)
    with Run.open(path) as run:
        about, metrics = run.attributes, run.metrics()
        last = {} if metrics.empty else {str(k): float(v) for k, v in metrics.iloc[-1].dropna().items()}
        ends = [_ends(run, group) for group in GROUPS]
        return Glance(
            path=path,
            title=printable(f"{about['learning']} in {about['circuit_name']}, seed {about['seed']}"),
            status=printable(about["status"]),
            message=printable_lines(about["message"]),
            step=max(step for step, _ in ends),
            epoch=max(epoch for _, epoch in ends),
            epochs=_planned(run.experiment),
            records=tuple(len(run.instants(group)) for group in GROUPS),
            metrics={printable(name): last[name] for name in last if name not in ("step", "epoch", *HIDDEN)},
            angles=_angles(run, len(run.steps)),
            results=run.results,
            written=written,
            created=None if about.get("resumptions") else _seconds(about.get("created")),
        )


def _written(path: Path) -> float:
    from ..analysis import AnalysisError

    try:
        return path.stat().st_mtime
    except OSError as error:
        raise AnalysisError(
            f"{path}: the recording must stay where it is (got {error.strerror}). Was it removed, or renamed?"
        ) from error


def in_folder(folder: Path) -> list[Path]:
    """The recordings in a folder, by name; files on their way to their names begin with a point."""
    return sorted(path for path in folder.glob("*.h5") if not path.name.startswith("."))


def newest(path: Path) -> Path | None:
    """The recording that is meant: the file itself, or in a folder the one that began last; None: not there yet."""
    if path.is_dir():
        return max(in_folder(path), key=_began, default=None)
    return path if path.exists() else None


def _began(path: Path) -> float:
    """When a run began, by its file; of one that cannot be read, when the file changed."""
    from ..analysis import AnalysisError, Run

    try:
        with Run.open(path) as run:
            return _seconds(run.attributes.get("created")) or path.stat().st_mtime
    except (AnalysisError, OSError):
        return 0.0


def _ends(run: "Run", group: str) -> tuple[int, float]:
    """Step and epoch of a group's last record; 0 where it has none."""
    instants = run.instants(group)
    return (int(instants.steps[-1]), float(instants.epochs[-1])) if len(instants) else (0, 0.0)


def _angles(run: "Run", snapshots: int) -> list[Angles]:
    """Matrix and delta angles at their last record; where none were measured, those of the last weights."""
    from ..analysis import delta_angles, matrix_angles
    from ..analysis.printable import printable

    matrix = matrix_angles(run, source="recorded")
    if matrix.empty and snapshots:
        matrix = _of_weights(run, run.path, snapshots)
    found = []
    for kind, name, frame in (("matrix", "projection", matrix), ("delta", "population", delta_angles(run))):
        last = frame[frame["step"] == frame["step"].max()].dropna(subset=["angle_degrees"])
        if len(last):
            layers = {printable(layer): at for layer, at in zip(last[name], last["angle_degrees"], strict=True)}
            found.append(Angles(kind=kind, layers=layers, epoch=float(last["epoch"].iloc[0])))
    return found


_weighed: dict[tuple[Path, int], Any] = {}  # the last snapshot is read once, not at every glance


def _of_weights(run: "Run", path: Path, snapshots: int) -> Any:
    from ..analysis import matrix_angles

    if (path, snapshots) not in _weighed:
        _weighed.clear()
        _weighed[path, snapshots] = matrix_angles(run, snapshots=[-1])
    return _weighed[path, snapshots]


@lru_cache(maxsize=4)
def _planned(experiment: str) -> int | None:
    """The epochs that an experiment asks for."""
    from ..circuits.errors import CircuitError
    from ..circuits.yamlfile import read

    try:
        data = read(experiment).data
    except CircuitError:
        return None
    epochs = data.get("epochs") if isinstance(data, dict) else None
    return epochs if isinstance(epochs, int) and epochs > 0 else None


def _seconds(created: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(created)).timestamp()
    except ValueError:
        return None


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 05 min`, `2 d 4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, days = minutes // 60, minutes // 1440
    if minutes < 60:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60:02d} min" if days < 1 else f"{days} d {hours % 24} h"
