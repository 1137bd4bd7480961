"""Small wirings as they are declared, with the shapes that they join."""

from typing import Any

from hypothesis import strategies as st

from ...circuits.wiring import Shape


def shapes(*, maps: bool = False) -> st.SearchStrategy[Shape]:
    """(neurons,) or (channels, height, width); with `maps` only the latter."""
    three = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5))
    return three if maps else st.tuples(st.integers(1, 6)) | three


@st.composite
def convolutions(draw: st.DrawFn, source: Shape) -> tuple[dict[str, Any], Shape]:
    """What a conv wiring from maps may say, odd strides, paddings, dilations and groups among it, and the target's
    shape, which has a side of less than 1 where the kernel does not fit.
    """
    sides = st.integers(1, 3)
    groups = draw(st.sampled_from([count for count in (1, 2, 3, 4) if source[0] % count == 0]))
    kernel, stride, dilation = ([draw(sides), draw(sides)] for _ in range(3))
    padding = [draw(st.integers(0, 2)), draw(st.integers(0, 2))]
    channels = groups * draw(st.integers(1, 2))
    wiring = {"channels": channels, "kernel": kernel, "stride": stride, "padding": padding}
    high, wide = (
        (size + 2 * pad - spread * (side - 1) - 1) // step + 1
        for size, pad, spread, side, step in zip(source[1:], padding, dilation, kernel, stride, strict=True)
    )
    return {**wiring, "dilation": dilation, "groups": groups}, (channels, high, wide)


@st.composite
def windows(draw: st.DrawFn, kind: str, source: Shape) -> tuple[dict[str, Any], Shape]:
    """What a pool of windows of one size may say, and the target's shape. `kind`: average or max."""
    channels, *sides = source
    size = draw(st.integers(1, min(sides)))
    stride, padding = draw(st.integers(1, 3)), draw(st.integers(0, size // 2))
    ceil = kind == "max" and draw(st.booleans())
    starts = [range(-padding, side, stride) for side in sides]  # where windows may start
    high, wide = (
        sum(start + size <= side + padding or (ceil and start + size - stride < side + padding) for start in along)
        for along, side in zip(starts, sides, strict=True)
    )
    wiring = {"kind": kind, "size": size, "stride": stride, "padding": padding}
    return ({**wiring, "ceil": True} if ceil else wiring), (channels, high, wide)
