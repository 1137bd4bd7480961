"""Populations in the making: what layers of a module add up to, one population after the other."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from math import prod
from typing import Any

from ...circuits import names
from ...circuits.wiring import Flatten, OneToOne, Shape, Wiring


class Stage(IntEnum):
    """How far a population is filled in. A layer joins it only where a later stage begins."""

    SUM = 0
    BIASED = 1
    NORMALIZED = 2
    TRANSFERRED = 3
    DROPPED = 4
    SOURCE = 5


@dataclass(eq=False)
class Afferent:
    """A projection onto a population."""

    source: "Cell"
    wiring: Wiring
    name: str | None = None
    declared: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    """Of its weights in the module."""


@dataclass(eq=False)
class Cell:
    """A population: what projects to it, and what is declared of it so far."""

    name: str
    shape: Shape
    stage: Stage = Stage.SUM
    afferents: list[Afferent] = field(default_factory=list)
    declared: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """State kind (bias, gain, running_mean, running_variance) -> key in the module."""
    absorbed: str | None = None
    """Key of the bias that is part of the running mean."""
    frozen_bias: bool = False
    """Whether the module says that its bias does not learn."""


@dataclass(frozen=True)
class Signal:
    """What a call of the module returns: the rate of a population, perhaps as a row."""

    cell: Cell
    flat: bool = False
    """Read in row-major order, as one row."""
    sole: bool = True
    """Whether nothing else reads it: only then may the population go on growing."""

    @property
    def shape(self) -> Shape:
        return (prod(self.cell.shape),) if self.flat else self.cell.shape


class Growth:
    """The populations in the order in which the module's calls made them."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self._taken: set[str] = set()
        self._labels: set[str] = set()

    def open(self, wanted: str, shape: Shape, *afferents: Afferent, stage: Stage = Stage.SUM) -> Cell:
        """A new population."""
        cell = Cell(unique(population_name(wanted), self._taken), shape, stage, list(afferents))
        self.cells.append(cell)
        return cell

    def reaching(self, signal: Signal, stage: Stage, wanted: str) -> Cell:
        """The population that takes on what belongs to a stage: the signal's own, where it has not come so far and
        nothing else reads it; otherwise a new one, joined one to one."""
        cell = signal.cell
        if not signal.sole or cell.stage >= stage:
            cell = self.open(wanted, cell.shape, Afferent(cell, OneToOne()))
        cell.stage = stage
        return cell

    def row(self, signal: Signal, wanted: str) -> Cell:
        """The population whose rate the signal is, neuron by neuron, in the signal's own shape."""
        if not signal.flat or len(signal.cell.shape) == 1:
            return signal.cell
        return self.open(wanted, signal.shape, Afferent(signal.cell, Flatten()))

    def total(self, signals: Iterable[Signal], wanted: str) -> Cell:
        """The sum. What is a bare sum itself, and read by nothing else, projects straight into it."""
        terms = list(signals)
        total = self.open(wanted, terms[0].shape)
        for signal in terms:
            cell = signal.cell
            if signal.sole and cell.stage == Stage.SUM and not signal.flat and _once(cell, terms):
                total.afferents += cell.afferents
                self.cells.remove(cell)
            else:
                total.afferents.append(Afferent(self.row(signal, wanted), OneToOne()))
        self.cells.remove(total)
        self.cells.append(total)  # behind what `row` opened
        return total

    def label(self, wanted: str) -> str:
        """A name for a projection that no other has."""
        return unique(projection_name(wanted), self._labels)


def _once(cell: Cell, terms: list[Signal]) -> bool:
    """Whether a population with weights is one term only, and no term takes ranges of channels."""
    return sum(term.cell is cell for term in terms) == 1 and not any(
        isinstance(a.wiring, OneToOne) and a.wiring.target for a in cell.afferents
    )


def population_name(qualified: str) -> str:
    """A module's qualified name as a population's: numbers join the name before them.

    >>> population_name("layer1.0.conv1")
    'layer1_0.conv1'
    """
    parts: list[str] = []
    for part in qualified.split("."):
        word = re.sub(r"[^A-Za-z0-9_]", "_", part)
        if word[:1].isdigit() and parts:
            parts[-1] += f"_{word}"
        else:
            parts.append(f"layer_{word}" if word[:1].isdigit() else word)
    return _permitted(".".join(parts), projection=False)


def projection_name(qualified: str) -> str:
    """A module's qualified name as a projection's: as it is, as far as the letters allow."""
    return _permitted(re.sub(r"[^A-Za-z0-9_.-]", "_", qualified), projection=True)


def _permitted(name: str, *, projection: bool) -> str:
    return f"{name}_" if names.complaint(name, projection=projection) else name


def unique(wanted: str, taken: set[str]) -> str:
    """The name, or the name with the first number that makes it one; it is taken from then on."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name
