"""Wirings laid between shapes: odd strides, paddings, dilations and groups, windows that hang over, channel ranges."""

from typing import Literal

from hypothesis import strategies as st

from ...circuits.wiring import Conv, Dense, Flatten, Geometry, OneToOne, Pool, Wiring

Shape = tuple[int, ...]
sides = st.integers(1, 6)
_KINDS: st.SearchStrategy[Literal["max", "average"]] = st.sampled_from(("max", "average"))


def geometry(wiring: Wiring, lower: Shape, declared: Shape | None = None) -> Geometry:
    """A wiring from a shape to the one that follows from it."""
    return Geometry(wiring, lower, wiring.target_shape(lower, declared))


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
    """From rows or maps, onto a row, onto maps, with a weight for each neuron or for each channel."""
    lower = draw(st.one_of(st.tuples(sides), st.tuples(sides, sides, sides)))
    if draw(st.booleans()):
        return geometry(Dense(size=draw(sides)), lower)
    return geometry(Dense(shared=draw(st.booleans())), lower, draw(st.tuples(sides, sides, sides)))


@st.composite
def pools(draw: st.DrawFn) -> Geometry:
    """Windows of one size, some of them hanging over the far border, the whole map, and windows that share it out."""
    kind = draw(_KINDS)
    lower = (draw(st.integers(1, 3)), draw(st.integers(3, 7)), draw(st.integers(3, 7)))
    if draw(st.integers(0, 4)) == 0:
        return geometry(Pool(kind=kind, size="global"), lower)
    if kind == "average" and draw(st.booleans()):
        return geometry(Pool(kind=kind, to=(draw(st.integers(1, 9)), draw(st.integers(1, 9)))), lower)
    size = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    padding = (draw(st.integers(0, size[0] // 2)), draw(st.integers(0, size[1] // 2)))
    stride = draw(st.one_of(st.none(), st.tuples(st.integers(1, 3), st.integers(1, 3))))
    ceil = kind == "max" and draw(st.booleans())
    return geometry(Pool(kind=kind, size=size, stride=stride, padding=padding, ceil=ceil), lower)


@st.composite
def copies(draw: st.DrawFn) -> Geometry:
    """Identities, channel ranges and rows."""
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


def geometries(*, weighted: bool = False) -> st.SearchStrategy[Geometry]:
    """A wiring laid between two shapes; with `weighted` one that has weights."""
    found: tuple[st.SearchStrategy[Geometry], ...] = (convs(), denses())
    return st.one_of(found if weighted else (*found, pools(), copies()))


seeds = st.integers(0, 2**32 - 1)
