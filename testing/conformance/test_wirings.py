"""Wirings laid at random, several in one program, against the reference."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ...circuits.wiring import Geometry
from ..strategies import geometries
from .candidate import Candidate, close
from .programs import Hand, Laid, expected


def test_random_wirings(widest: Candidate, drawn: settings) -> None:
    """All that a geometry allows, and each of it alone: a way back must not need the lower activity to be there."""

    @drawn
    @given(st.lists(geometries(), min_size=6, max_size=10), st.booleans(), st.booleans())
    def check(several: list[Geometry], ties: bool, alone: bool) -> None:
        hand, asked = Hand(), []
        for number, geometry in enumerate(several):
            hand.prefix = f"{number}/"
            laid = Laid(geometry, number, ties=ties, hand=hand)
            asked += [laid.project_back if number % 2 else laid.project] if alone else laid.everything()
        for ours, theirs in zip(hand.answer(widest, *asked), expected(hand, *asked), strict=True):
            close(ours, theirs, widest.tolerances.number)

    check()
