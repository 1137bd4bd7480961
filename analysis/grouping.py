"""Which runs belong together, which may be set beside each other, and which count: one answer for tables, figures and
the report."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol, TypeVar

from .run import Run
from .texts import mapping

COMPLETE = "complete"
PER_RUN = ("seeds", "learning", "output", "threads", "format")  # settings in which runs of one experiment may differ
TITLES = ("name", "description")  # these say nothing about what was done


class File(Protocol):
    """What is read from a recording at `path`."""

    @property
    def path(self) -> Path: ...


Item = TypeVar("Item")
Read = TypeVar("Read", bound=File)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What one run was, whatever its seed: learning system, circuit (its name, its explicit text) and experiment."""

    learning: str
    circuit: str
    circuit_text: str
    experiment_text: str

    @classmethod
    def of(cls, run: Run) -> "Identity":
        learning, circuit = (str(run.attributes[name]) for name in ("learning", "circuit_name"))
        return cls(learning=learning, circuit=circuit, circuit_text=run.circuit, experiment_text=run.experiment)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The experiment without what may differ between its runs."""
        return {key: value for key, value in mapping(self.experiment_text).items() if key not in PER_RUN}

    @property
    def experiment(self) -> str:
        """Its name."""
        return str(self.settings.get("name", ""))

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Equal for runs of one system: same learning system, circuit and experiment."""
        circuit = sha256(self.circuit_text.encode("utf-8", "replace")).hexdigest()
        return self.learning, self.circuit, circuit, self._settled(())

    @cached_property
    def context(self) -> tuple[str, ...]:
        """Equal for runs whose seeds mean the same: same circuit and settings, whatever learns, and by what name."""
        return self.circuit, self._settled(TITLES)

    def _settled(self, without: Sequence[str]) -> str:
        kept = [(str(key), value) for key, value in self.settings.items() if key not in without]
        return str(sorted(kept, key=lambda item: item[0])) if self.settings else self.experiment_text


def grouped(items: Iterable[Item], identity: Callable[[Item], Identity]) -> dict[str, list[Item]]:
    """Items by system, in the order in which systems first occur, under names as short as tell them apart: the learning
    system, then the circuit, the experiment, a number."""
    found: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        found.setdefault(identity(item).key, []).append(item)
    names = _names([identity(members[0]) for members in found.values()])
    return dict(zip(names, found.values(), strict=True))


def distinct(items: Iterable[Read]) -> list[Read]:
    """Each file once, by whatever paths it was reached."""
    found: dict[object, Read] = {}
    for item in items:
        found.setdefault(_file(item.path), item)
    return list(found.values())


def counting(runs: Sequence[Run]) -> list[Run]:
    """The runs that count in means: the complete ones, or all where there is none."""
    return [run for run in runs if run.attributes["status"] == COMPLETE] or list(runs)


def left_out(runs: Sequence[Run]) -> list[Run]:
    """The others: those that were interrupted, failed, or go on, beside complete ones."""
    counted = counting(runs)
    return [run for run in runs if run not in counted]


def _file(path: Path) -> object:
    try:
        status = path.stat()
    except OSError:  # removed while it was open
        return path.absolute()
    return status.st_dev, status.st_ino


def _names(found: Sequence[Identity]) -> list[str]:
    names = [one.learning for one in found]
    for more in ([one.circuit for one in found], [one.experiment for one in found]):
        if len(set(names)) < len(names) and len(set(more)) > 1:
            names = [f"{name}, {word}" if word else name for name, word in zip(names, more, strict=True)]
    return [
        name if names.count(name) == 1 else f"{name} ({names[: index + 1].count(name)})"
        for index, name in enumerate(names)
    ]
