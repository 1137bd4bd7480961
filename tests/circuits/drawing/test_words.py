"""Wirings and populations in words."""

import pytest

import counterstream as cs
from counterstream.circuits.drawing.words import error_text, population_text, shape_text, wiring_parts
from counterstream.circuits.graph import build_graph
from counterstream.circuits.wiring import Conv, Dense, Flatten, Geometry, OneToOne, Pool
from counterstream.circuits.wiring.base import Shape, Wiring


@pytest.mark.parametrize(
    ("wiring", "lower", "upper", "words"),
    [
        (Conv(kernel=3, stride=2), (64, 8, 8), (128, 4, 4), "3\u00d73 conv, stride 2, 64 \u2192 128"),
        (Conv(kernel=(1, 7)), (4, 8, 8), (4, 8, 8), "1\u00d77 conv, 4 \u2192 4"),
        (Conv(kernel=3, padding=1), (4, 8, 8), (8, 8, 8), "3\u00d73 conv, 4 \u2192 8"),
        (Conv(kernel=3, padding=0), (4, 8, 8), (8, 6, 6), "3\u00d73 conv, no padding, 4 \u2192 8"),
        (Conv(kernel=3, groups=8), (8, 4, 4), (8, 4, 4), "3\u00d73 conv, depthwise, 8 \u2192 8"),
        (Conv(kernel=3, groups=2, dilation=2), (8, 9, 9), (8, 9, 9), "3\u00d73 conv, dilation 2, 2 groups, 8 \u2192 8"),
        (Dense(), (32,), (10,), "dense, 32 \u2192 10"),
        (Dense(), (32, 1, 1), (10,), "dense, 32 \u2192 10"),
        (Dense(), (1, 8, 8), (10,), "dense, 1\u00d78\u00d78 \u2192 10"),
        (Dense(shared=True), (10,), (12, 8, 8), "dense to channels, 10 \u2192 12"),
        (Pool(kind="max", size=3, stride=2), (4, 8, 8), (4, 3, 3), "3\u00d73 max pool, stride 2"),
        (Pool(kind="average", size="global"), (4, 8, 8), (4, 1, 1), "global average pool"),
        (Pool(kind="average", to=6), (4, 8, 8), (4, 6, 6), "average pool, to 6\u00d76"),
        (OneToOne(), (4,), (4,), ""),
        (OneToOne(source=(2, 4), target=(0, 2)), (4, 2, 2), (4, 2, 2), "channels 2\u20133, onto channels 0\u20131"),
        (Flatten(), (4, 2, 2), (16,), "flatten"),
    ],
)
def test_wirings(wiring: Wiring, lower: Shape, upper: Shape, words: str) -> None:
    assert ", ".join(wiring_parts(Geometry(wiring, lower, upper))) == words


def test_a_reverse_runs_the_other_way() -> None:
    geometry = Geometry(Conv(kernel=3), (4, 8, 8), (8, 8, 8))
    assert wiring_parts(geometry, back=True)[-1] == "8 \u2192 4"


def test_populations() -> None:
    graph = build_graph(cs.expand(cs.load("digits_resnet", learning="kolen_pollack")))
    assert population_text(graph, "image") == "input"
    assert population_text(graph, "stem") == "linear"
    assert population_text(graph, "stage1.block1.sum") == "sum"
    assert population_text(graph, "top") == "batch norm, relu"
    assert error_text(graph, "top~") == "\u00d7 relu\u2032, back through norm"
    assert error_text(graph, "pooled~") == "error"
    assert error_text(graph, "digit~") == "error: output \u2212 target"
    assert shape_text((48, 2, 2)) == "48 \u00d7 2 \u00d7 2"
