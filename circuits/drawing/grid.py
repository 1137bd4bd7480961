"""Where the columns, rows and lanes of the picture are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from .cards import STACK
from .gaps import Bundle, Plan
from .outline import Node
from .scene import At

LANE, FIRST_LANE, FRAME = 11.0, 20.0, 13.0
"""From lane to lane, from what is inside to the first, and from the last to the frame around."""


@dataclass(frozen=True)
class Grid:
    """The places of one layout. Sides: 0 is left of the forward column, 1 is right of the last."""

    index: Mapping[str, int]
    """Path of a node -> its number in the scene."""
    plans: Mapping[str, Plan]
    """Path of a block that has a laid out inside -> the room in it."""
    columns: tuple[float, ...]
    wide: float

    def column(self, feedback: bool) -> float:
        """The middle of a stream's column."""
        return self.columns[-1] if feedback else self.columns[0]

    def edge(self, block: Node, row: int, *, below: bool) -> At:
        """The lower (`below`) or upper edge of a row of a block; the block's borders are its first and last row."""
        if row in (0, len(block.children) + 1):
            return At(self.index[block.path], "top" if row == 0 else "bottom")
        return At(self.index[block.children[row - 1].path], "bottom" if below else "top")

    def reach(self, node: Node, side: int) -> float:
        """How far a node reaches to one side of the middle of the column there, opened as far as it can be."""
        if (node.path, side) not in self._reaches:
            self._reaches[node.path, side] = self._reach(node, side)
        return self._reaches[node.path, side]

    @cached_property
    def _reaches(self) -> dict[tuple[str, int], float]:
        return {}

    def _reach(self, node: Node, side: int) -> float:
        if node.path not in self.plans:
            return self.wide / 2 + (STACK if side and node.is_block else 0.0)
        lanes = self.plans[node.path].lanes[side]
        beside = FIRST_LANE + LANE * (lanes - 1) if lanes else 0.0
        return self._inside(node, side) + beside + (FRAME if node.path else 0.0)

    def _inside(self, block: Node, side: int) -> float:
        return max([self.wide / 2 + (STACK if side else 0.0), *(self.reach(child, side) for child in block.children)])

    def lane(self, block: Node, bundle: Bundle) -> float:
        """Where the lane of a bundle runs."""
        beside = self._inside(block, int(bundle.feedback)) + FIRST_LANE + LANE * bundle.lane
        return self.column(bundle.feedback) + (beside if bundle.feedback else -beside)


def moved(at: At, by: float) -> At:
    """A height so far further down."""
    return replace(at, offset=at.offset + by)
