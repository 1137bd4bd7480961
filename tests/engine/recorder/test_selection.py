"""Selectors: names and globs, roles, wirings, on circuits with and without feedback of their own."""

from collections.abc import Sequence

import pytest

import counterstream as cs
from counterstream.circuits.expansion import expand
from counterstream.circuits.graph import Graph, build_graph
from counterstream.engine.recorder.selection import select_populations, select_projections

from ..nets import residual

WIRINGS = ("conv", "dense")
WEIGHTED = ["image->stem", "entry1->hidden1", "hidden1->sum1", "entry2->hidden2", "hidden2->sum2", "shortcut"]


def graph(learning: str = "kolen_pollack") -> Graph:
    return build_graph(expand(residual(learning=learning)))


@pytest.mark.parametrize(
    ("patterns", "role", "wiring", "expected"),
    [
        (["all"], "forward", WIRINGS, [*WEIGHTED, "pooled->answer"]),
        (["all"], "forward", ["dense"], ["pooled->answer"]),
        (["shortcut"], "both", WIRINGS, ["shortcut", "shortcut~"]),
        (["shortcut"], "feedback", WIRINGS, ["shortcut~"]),
        (["shortcut~"], "both", WIRINGS, ["shortcut~"]),
        (["entry*"], "forward", WIRINGS, ["entry1->hidden1", "entry2->hidden2"]),
        (["*->hidden?", "shortcut"], "forward", WIRINGS, ["entry1->hidden1", "entry2->hidden2", "shortcut"]),
        (["*~"], "both", ["dense"], ["pooled->answer~"]),
        (["shortcut"], "both", ["dense"], []),
    ],
)
def test_projections(patterns: Sequence[str], role: str, wiring: Sequence[str], expected: list[str]) -> None:
    found = select_projections(graph(), patterns, role, wiring)  # type: ignore[arg-type]
    assert list(found.names) == expected
    assert found.idle == ()


def test_the_order_is_that_of_the_streams() -> None:
    """Forward as activity passes, then feedback as errors do, whatever the order of the patterns."""
    names = select_projections(graph(), ["shortcut", "all", "image*"], "both", WIRINGS).names
    assert names.index("image->stem") == 0
    assert names[7] == "pooled->answer~"
    assert names.index("hidden2->sum2~") < names.index("entry1->hidden1~")
    assert "image->stem~" not in names  # nobody reads it: there is none
    assert len(names) == 13


def test_patterns_that_match_nothing_are_named() -> None:
    found = select_projections(graph(), ["shortcut", "shortcut1", "hidden3*"], "both", WIRINGS)
    assert found.names == ("shortcut", "shortcut~")
    assert found.idle == ("shortcut1", "hidden3*")
    assert "shortcut" in found.valid
    assert "entry1->stem" not in found.valid


def test_constants_with_weights_are_recorded_where_they_are_named() -> None:
    text = """
populations: {x: {input: [4]}, y: {}, z: {}}
projections:
  - {from: x, to: y, wiring: {dense: {size: 3}}}
  - {from: y, to: z, wiring: {dense: {size: 2}}, rules: {awake: "post.rate * pre.rate"}}
modes: {awake: {}}
"""
    built = build_graph(expand(cs.loads(text)))
    assert select_projections(built, ["all"], "both", WIRINGS).names == ("y->z",)
    assert select_projections(built, ["x->y"], "both", WIRINGS).names == ("x->y",)


def test_direct_feedback_is_feedback() -> None:
    built = graph("direct_feedback_alignment")
    names = select_projections(built, ["all"], "feedback", WIRINGS).names
    assert {built.projections[name].source for name in names} == {"answer~"}
    assert all(built.projections[name].reverse_of is None for name in names)


def test_populations() -> None:
    assert select_populations(graph(), ["entry*", "image"], ["rate"]).names == ("image", "entry1", "entry2")
    assert select_populations(graph(), ["all"], ["delta"]).names[0] == "stem"  # an input has no partner
    assert "answer" in select_populations(graph(), ["all"], ["rate", "delta"]).names
    found = select_populations(graph(), ["image", "v1"], ["delta"])
    assert (found.names, found.idle) == ((), ("image", "v1"))
