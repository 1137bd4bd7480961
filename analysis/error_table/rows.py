"""Runs in rows and columns: those whose errors may be set beside each other stand in one row, and each cell holds the
seeds of one learning system."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ..grouping import COMPLETE, distinct
from ..run import Run
from . import settings
from .cells import Cell, short
from .published import Published, published
from .task import Task

RESULTS: Mapping[int, str] = MappingProxyType({1: "test_accuracy", 5: "test_top5_accuracy"})
"""What a run's results call the share of test images whose class is the first, or among the first five."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A recording that does not count, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One forward network, trained on the same data with the same settings.

    apart: what sets it apart from other rows of that circuit, empty where there are none. cells: by their headings.
    variants: heading -> what sets it apart from the other cells of its system.
    """

    name: str
    apart: str
    task: Task
    cells: Mapping[str, Cell]
    variants: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.name} ({self.apart})" if self.apart else self.name


@dataclass(frozen=True, kw_only=True)
class Block:
    """The rows of one circuit, and what others reported on it."""

    circuit: str
    rows: tuple[Row, ...]
    published: tuple[Published, ...]


@dataclass(frozen=True, kw_only=True)
class ErrorTable:
    """top: 1 or 5."""

    top: int
    blocks: tuple[Block, ...]
    left_out: tuple[LeftOut, ...]


def error_table(runs: Iterable[Run], top: int = 1) -> ErrorTable:
    """The table of top-1 test errors, or of top-5 ones, of which nobody's are beside.

    Runs share a row where their forward network is the same and their experiments differ in nothing but learning
    system, seeds, the settings of modes, and where they were computed; they share a cell where rules, parameters and
    modes are the same too. Each file counts once, each seed of a cell once: the run that began last. What is not
    complete, or has no finite test accuracy, is left out and named.
    """
    result = RESULTS[top]
    kept, left_out = _judged(distinct(runs), result)
    placed: dict[str, dict[tuple[object, ...], list[Run]]] = {}
    for run in kept:
        place = Task.of(run).network, frozenset(settings.settings(run).items())
        placed.setdefault(str(run.attributes["circuit_name"]), {}).setdefault(place, []).append(run)
    blocks = []
    for circuit, found in placed.items():
        rows, repeated = _rows(circuit, list(found.values()), result)
        others = tuple(line for line in published() if top == 1 and circuit in line.circuits)
        blocks.append(Block(circuit=circuit, rows=tuple(rows), published=others))
        left_out += repeated
    return ErrorTable(top=top, blocks=tuple(blocks), left_out=tuple(left_out))


def _judged(runs: Sequence[Run], result: str) -> tuple[list[Run], list[LeftOut]]:
    kept, left_out = [], []
    for run in runs:
        reason = _unfit(run, result)
        if reason:
            left_out.append(LeftOut(path=run.path, reason=reason))
        else:
            kept.append(run)
    return kept, left_out


def _unfit(run: Run, result: str) -> str:
    """Why a run cannot count; empty where it can."""
    status, message = run.attributes["status"], str(run.attributes["message"]).partition("\n")[0]
    if status != COMPLETE:
        return f"not finished: {status}" + (f" ({message})" if message else "")
    accuracy = run.results.get(result)
    if not isinstance(accuracy, float) or not math.isfinite(accuracy):
        return f"it records no {result}" if accuracy is None else f"its {result} is {accuracy}"
    return ""


def _rows(circuit: str, found: Sequence[Sequence[Run]], result: str) -> tuple[list[Row], list[LeftOut]]:
    """The rows of one circuit, by their runs, and the runs that another of the same seed replaces."""
    told = settings.differences([settings.settings(runs[0]) for runs in found])
    rows, left_out = [], []
    for number, (runs, difference) in enumerate(zip(found, told, strict=True), start=1):
        apart = "" if len(found) == 1 else difference or f"network {number}"
        cells, variants, repeated = _cells(runs, result)
        rows.append(Row(name=circuit, apart=apart, task=Task.of(runs[0]), cells=cells, variants=variants))
        left_out += repeated
    return rows, left_out


def _cells(runs: Sequence[Run], result: str) -> tuple[dict[str, Cell], dict[str, str], list[LeftOut]]:
    """(cells, variants) of a row, and the runs that another of the same seed replaces."""
    systems: dict[str, dict[tuple[object, ...], list[Run]]] = {}
    for run in runs:
        variant = run.circuit, frozenset(settings.of_system(run).items())
        systems.setdefault(str(run.attributes["learning"]), {}).setdefault(variant, []).append(run)
    cells, variants, left_out = dict[str, Cell](), dict[str, str](), list[LeftOut]()
    for system, found in systems.items():
        told = settings.differences([settings.of_system(members[0]) for members in found.values()])
        for number, (members, difference) in enumerate(zip(found.values(), told, strict=True), start=1):
            label = short(system) + (f" ({number})" if number > 1 else "")
            if len(found) > 1:
                variants[label] = difference or "other rules or parameters"
            seeds, repeated = _by_seed(members)
            left_out += repeated
            errors = {seed: 100 * (1 - run.results[result]) for seed, run in sorted(seeds.items())}
            cells[label] = Cell(system=system, label=label, errors=errors)
    return cells, variants, left_out


def _by_seed(runs: Sequence[Run]) -> tuple[dict[int, Run], list[LeftOut]]:
    """Of each seed the run that began last, and the others."""
    found: dict[int, Run] = {}
    left_out = []
    for run in sorted(runs, key=lambda run: str(run.attributes.get("created", ""))):
        seed = int(run.attributes["seed"])
        if seed in found:
            reason = f"seed {seed} ran again: {run.path} is newer"
            left_out.append(LeftOut(path=found[seed].path, reason=reason))
        found[seed] = run
    return found, left_out
