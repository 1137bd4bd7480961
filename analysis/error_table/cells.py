"""One system's error in one row: the mean over seeds, and how far they spread."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import mean, stdev
from types import MappingProxyType

SHORT: Mapping[str, str] = MappingProxyType(
    {
        "backprop": "BP",
        "weight_mirror": "WM",
        "kolen_pollack": "KP",
        "sign_symmetry": "SS",
        "feedback_alignment": "FA",
        "direct_feedback_alignment": "DFA",
    }
)
"""Learning system -> the field's abbreviation, in the order of columns. Others follow under their own names."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Top-1 test errors in percent by seed, of one learning system."""

    system: str
    label: str
    errors: Mapping[int, float]

    @property
    def mean(self) -> float:
        return mean(self.errors.values())

    @property
    def spread(self) -> float:
        """The sample standard deviation over seeds; NaN with one."""
        return stdev(self.errors.values()) if len(self.errors) > 1 else math.nan

    def __str__(self) -> str:
        spread = f" ± {self.spread:.1f}" if len(self.errors) > 1 else ""
        return f"{self.mean:.1f}{spread} ({len(self.errors)})"


def short(system: str) -> str:
    """A system's name in a heading."""
    return SHORT.get(system, system)


def ordered(labels: Iterable[str]) -> list[str]:
    """Headings, each once: those of SHORT in its order, then the others as they come. `WM (2)` follows `WM`."""
    ranks = {label: rank for rank, label in enumerate(SHORT.values())}
    return sorted(dict.fromkeys(labels), key=lambda label: ranks.get(label.partition(" (")[0], len(ranks)))
