"""Programs made by hand, geometries made by hypothesis, and what one needs to compare engines."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st

from counterstream.circuits.wiring import Conv, Dense, Flatten, Geometry, OneToOne, Pool, Wiring
from counterstream.engine.backends import load_engine
from counterstream.engine.compiler.program import Program, Value

SAMPLES = 3


class Hand:
    """Values written down one after the other; every method returns the new value's position."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.arrays: dict[str, np.ndarray] = {}

    def input(self, name: str, array: Any, *, batched: bool = True) -> int:
        array = np.asarray(array)
        shape = array.shape[1:] if batched else array.shape
        dtype = "int" if array.dtype.kind == "i" else "float"
        self.arrays[name] = array
        return self.value("input", shape=shape, batched=batched, name=name, role="data", dtype=dtype)

    def value(
        self, operation: str, *inputs: int, shape: tuple[int, ...], batched: bool = True, **attributes: Any
    ) -> int:
        self.values.append(Value(operation, inputs, tuple(sorted(attributes.items())), shape, batched))
        return len(self.values) - 1

    def program(self, *results: int, name: str = "by hand") -> Program:
        return Program(name, tuple(self.values), {f"r{k}": index for k, index in enumerate(results)})

    def run(self, *results: int, engine: str = "reference", dtype: str = "float64") -> list[np.ndarray]:
        return run(self.program(*results), self.arrays, engine, dtype)


def run(
    program: Program, arrays: Mapping[str, np.ndarray], engine: str = "reference", dtype: str = "float64"
) -> list[np.ndarray]:
    """The results of a program, in order, as NumPy arrays."""
    made = load_engine(engine, dtype=dtype)
    kinds = {name: value["dtype"] for name, value in program.inputs.items()}
    inputs = {name: made.array(array, kinds.get(name, "float")) for name, array in arrays.items()}
    return [made.numpy(result) for result in made.compile(program)(inputs).values()]


def close(found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-11) -> None:
    """Equal shapes, and equal numbers relative to the largest."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    size = max(1.0, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * size)


def geometry(wiring: Wiring, lower: tuple[int, ...], declared: tuple[int, ...] | None = None) -> Geometry:
    return Geometry(wiring, lower, wiring.target_shape(lower, declared))


# ---- geometries

sides = st.integers(1, 6)


@st.composite
def convs(draw: st.DrawFn) -> Geometry:
    """Odd strides, paddings, dilations and groups; taps that no position sees are among them."""
    groups = draw(st.integers(1, 3))
    channels_in, channels = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kernel, stride, dilation = ((draw(st.integers(1, top)), draw(st.integers(1, top))) for top in (3, 3, 2))
    padding = (draw(st.integers(0, 3)), draw(st.integers(0, 3)))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for d, k, p in zip(dilation, kernel, padding, strict=True)]
    lower = (channels_in, least[0] + draw(st.integers(0, 4)), least[1] + draw(st.integers(0, 4)))
    conv = Conv(channels=channels, kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return geometry(conv, lower)


@st.composite
def denses(draw: st.DrawFn) -> Geometry:
    lower = draw(st.one_of(st.tuples(sides), st.tuples(sides, sides, sides)))
    if draw(st.booleans()):
        return geometry(Dense(size=draw(sides)), lower)
    return geometry(Dense(shared=draw(st.booleans())), lower, draw(st.tuples(sides, sides, sides)))


@st.composite
def pools(draw: st.DrawFn) -> Geometry:
    """Windows of one size, some of them hanging over the far border, the whole map, and windows that share it out."""
    kind = draw(st.sampled_from(["max", "average"]))
    lower = (draw(st.integers(1, 3)), draw(st.integers(3, 7)), draw(st.integers(3, 7)))
    if draw(st.integers(0, 4)) == 0:
        return geometry(Pool(kind=kind, size="global"), lower)
    if kind == "average" and draw(st.booleans()):
        return geometry(Pool(kind=kind, to=(draw(st.integers(1, 9)), draw(st.integers(1, 9)))), lower)
    size = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    padding = tuple(draw(st.integers(0, side // 2)) for side in size)
    stride = draw(st.one_of(st.none(), st.tuples(st.integers(1, 3), st.integers(1, 3))))
    ceil = kind == "max" and draw(st.booleans())
    return geometry(Pool(kind=kind, size=size, stride=stride, padding=padding, ceil=ceil), lower)


@st.composite
def copies(draw: st.DrawFn) -> Geometry:
    lower = draw(st.one_of(st.tuples(sides), st.tuples(sides, sides, sides)))
    if draw(st.booleans()):
        return geometry(Flatten(), lower)
    start = draw(st.integers(0, lower[0] - 1))
    stop = draw(st.integers(start + 1, lower[0]))
    before, after = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    source = (start, stop) if draw(st.booleans()) else None
    width = stop - start if source else lower[0]
    if draw(st.booleans()):
        return geometry(OneToOne(source=source), lower)
    target = (before, before + width)
    return geometry(OneToOne(source=source, target=target), lower, (before + width + after, *lower[1:]))


weighted = st.one_of(convs(), denses())
wirings = st.one_of(weighted, pools(), copies())
seeds = st.integers(0, 2**32 - 1)


class Laid:
    """Random activities and weights on a geometry, with every operation that it allows."""

    def __init__(self, laid: Geometry, seed: int, *, ties: bool = False) -> None:
        random = np.random.default_rng(seed)
        self.geometry = laid
        self.hand = hand = Hand()
        lower = (
            random.integers(-2, 3, (SAMPLES, *laid.lower)) * 1.0 if ties else random.normal(size=(SAMPLES, *laid.lower))
        )
        self.lower = hand.input("lower", lower)
        self.upper = hand.input("upper", random.normal(size=(SAMPLES, *laid.upper)))
        self.weights: tuple[int, ...] = ()
        if laid.weight_shape:
            self.weights = (hand.input("weight", random.normal(size=laid.weight_shape), batched=False),)
        self.switches = (self.lower,) if getattr(laid.wiring, "over", "") == "max" else ()

    @property
    def project(self) -> int:
        return self.hand.value("project", self.lower, *self.weights, shape=self.geometry.upper, geometry=self.geometry)

    @property
    def project_back(self) -> int:
        operands = (self.upper, *self.weights, *self.switches)
        return self.hand.value("project_back", *operands, shape=self.geometry.lower, geometry=self.geometry)

    @property
    def correlate(self) -> int:
        shape = self.geometry.weight_shape
        assert shape is not None
        return self.hand.value("correlate", self.lower, self.upper, shape=shape, batched=False, geometry=self.geometry)

    def per_tap(self, kind: str) -> int:
        (weight,) = self.weights
        shape = self.hand.values[weight].shape
        return self.hand.value("per_tap", weight, shape=shape, batched=False, geometry=self.geometry, kind=kind)
