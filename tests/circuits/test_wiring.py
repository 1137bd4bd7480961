"""Wirings: shapes against a count by hand, taps that see padding, and what does not fit."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from counterstream.circuits.wiring import Conv, Dense, Flatten, Geometry, OneToOne, Pool, Shape, Wiring, WiringError

sides = st.integers(1, 4)


@st.composite
def convs(draw: st.DrawFn) -> tuple[Conv, Shape]:
    groups = draw(st.integers(1, 2))
    conv = Conv(
        channels=groups * draw(st.integers(1, 2)),
        kernel=(draw(sides), draw(sides)),
        stride=(draw(sides), draw(sides)),
        padding=(draw(st.integers(0, 3)), draw(st.integers(0, 3))),
        dilation=(draw(sides), draw(sides)),
        groups=groups,
    )
    return conv, (groups * draw(st.integers(1, 2)), draw(st.integers(1, 8)), draw(st.integers(1, 8)))


def seen(conv: Conv, source: Shape, axis: int) -> list[list[int]]:
    """For each position along a side, the taps of a kernel that fall inside: counted one by one."""
    size, kernel, stride = source[1 + axis], conv.kernel[axis], conv.stride[axis]
    found, start = [], -conv.pads[axis]
    while start + conv.dilation[axis] * (kernel - 1) < size + conv.pads[axis]:
        found.append([tap for tap in range(kernel) if 0 <= start + tap * conv.dilation[axis] < size])
        start += stride
    return found


@given(convs())
def test_positions_and_taps_of_a_convolution_as_counted_by_hand(drawn: tuple[Conv, Shape]) -> None:
    conv, source = drawn
    rows, columns = seen(conv, source, 0), seen(conv, source, 1)
    if not rows or not columns:
        with pytest.raises(WiringError, match="must fit into the padded source"):
            conv.target_shape(source)
        return
    target = conv.target_shape(source)
    assert target == (conv.channels, len(rows), len(columns))
    geometry = Geometry(conv, source, target)
    counts = np.array([[sum(i in r for r in rows) * sum(j in c for c in columns)
                        for j in range(conv.kernel[1])] for i in range(conv.kernel[0])])  # fmt: skip
    found = geometry.tap_counts
    assert np.array_equal(np.full_like(counts, geometry.positions) if found is None else found, counts)
    assert geometry.weight_shape == (conv.channels, source[0] // conv.groups, *conv.kernel)
    assert geometry.fan_in == source[0] // conv.groups * conv.kernel[0] * conv.kernel[1]
    assert (geometry.unseen is None) == bool(counts.all())


@given(convs())
def test_noise_of_a_convolution_is_that_of_the_theory(drawn: tuple[Conv, Shape]) -> None:
    """Per side, mean over seen taps t of the sum over positions i that see t of n_i / c_t^2."""
    conv, source = drawn
    found = [seen(conv, source, axis) for axis in (0, 1)]
    assume(all(any(positions) for positions in found))
    share = 1.0
    for positions, kernel in zip(found, conv.kernel, strict=True):
        taps = [t for t in range(kernel) if any(t in p for p in positions)]
        terms = [sum(len(p) for p in positions if t in p) / sum(t in p for p in positions) ** 2 for t in taps]
        share *= sum(terms) / len(terms)
    geometry = Geometry(conv, source, conv.target_shape(source))
    assert geometry.single_map_noise == pytest.approx(source[0] / conv.groups * share)


def test_taps_of_large_windows_on_large_maps_are_not_counted_one_by_one() -> None:
    wiring, source = Conv(channels=1, kernel=2000, padding=0), (1, 30_000, 30_000)
    geometry = Geometry(wiring, source, wiring.target_shape(source))
    assert geometry.tap_counts is None
    assert geometry.single_map_noise == pytest.approx((2000 / 28_001) ** 2, rel=1e-12)


@pytest.mark.parametrize(
    ("wiring", "source", "factor"),
    [  # SEMANTICS' figures for small padded maps, on the tangent
        (Conv(channels=1, kernel=3), (1, 8, 8), 1.03),
        (Conv(channels=1, kernel=3, stride=2), (1, 8, 8), 1.06),
        (Conv(channels=1, kernel=3), (1, 2, 2), 1.11),
        (Conv(channels=1, kernel=3, stride=2), (1, 4, 4), 1.22),
    ],
)
def test_small_maps_blur_the_mirror_by_known_factors(wiring: Conv, source: Shape, factor: float) -> None:
    geometry = Geometry(wiring, source, wiring.target_shape(source))
    plain = geometry.fan_in / geometry.positions
    assert np.sqrt(geometry.single_map_noise / plain) == pytest.approx(factor, abs=0.005)


@pytest.mark.parametrize(
    ("wiring", "source", "declared", "target"),
    [
        (Dense(size=3), (2, 2, 2), None, (3,)),
        (Dense(), (5,), (2, 3, 3), (2, 3, 3)),
        (Dense(size=18), (5,), (2, 3, 3), (2, 3, 3)),
        (Dense(shared=True), (5,), (2, 3, 3), (2, 3, 3)),
        (Conv(kernel=3), (2, 5, 5), (4, 5, 5), (4, 5, 5)),
        (Conv(channels=4, kernel=3, dilation=2), (2, 5, 5), None, (4, 5, 5)),
        (Conv(channels=4, kernel=(2, 3), padding=(0, 1)), (2, 5, 5), None, (4, 4, 5)),
        (Pool(kind="max", size=3, stride=2, padding=1), (2, 7, 7), None, (2, 4, 4)),
        (Pool(kind="average", size="global"), (2, 7, 5), None, (2, 1, 1)),
        (Pool(kind="average", to=(7, 2)), (2, 4, 5), None, (2, 7, 2)),
        (Pool(kind="max", size=3, stride=2), (2, 8, 7), None, (2, 3, 3)),
        (Pool(kind="max", size=3, stride=2, ceil=True), (2, 8, 7), None, (2, 4, 3)),
        (Pool(kind="max", size=3, stride=2, ceil=True), (2, 2, 2), None, (2, 1, 1)),
        (Pool(kind="max", size=2, stride=3, padding=1, ceil=True), (1, 3, 6), None, (1, 2, 3)),
        (Flatten(), (2, 3, 4), None, (24,)),
        (OneToOne(), (2, 3, 4), None, (2, 3, 4)),
        (OneToOne(source=(1, 3)), (4, 2, 2), None, (2, 2, 2)),
        (OneToOne(source=(1, 3), target=(0, 2)), (4, 2, 2), (5, 2, 2), (5, 2, 2)),
    ],
)
def test_shapes(wiring: Wiring, source: Shape, declared: Shape | None, target: Shape) -> None:
    assert wiring.target_shape(source, declared) == target


@given(sides, sides, st.integers(1, 4), st.integers(0, 2), st.integers(1, 9))
def test_windows_that_hang_over_start_inside(high: int, wide: int, stride: int, padding: int, size: int) -> None:
    """Against a count by hand: a window stands for every start up to the first that leaves nothing new to see."""
    assume(2 * padding <= size)

    def counted(side: int) -> int:
        starts = [start for start in range(-padding, side, stride) if start + size <= side + padding]
        following = starts[-1] + stride if starts else -padding
        hangs_over = following < side and following + size - stride < side + padding
        return len(starts) + hangs_over

    pool = Pool(kind="max", size=size, stride=stride, padding=padding, ceil=True)
    if counted(high) and counted(wide):
        assert pool.target_shape((1, high, wide)) == (1, counted(high), counted(wide))
    else:
        with pytest.raises(WiringError, match="must fit into the padded source"):
            pool.target_shape((1, high, wide))


@given(st.integers(1, 20), st.integers(1, 20))
def test_windows_that_share_a_map_out_leave_nothing_out(side: int, windows: int) -> None:
    spans, _ = Pool(kind="average", to=(windows, 1)).spans((1, side, 1))
    assert len(spans) == windows
    assert {place for start, stop in spans for place in range(start, stop)} == set(range(side))
    assert spans == tuple(sorted(spans))
    if side % windows == 0:
        assert {stop - start for start, stop in spans} == {side // windows}


def test_weights_of_dense_wirings() -> None:
    whole = Geometry(Dense(), (5,), (2, 3, 3))
    shared = Geometry(Dense(shared=True), (5,), (2, 3, 3))
    assert (whole.weight_shape, whole.positions, whole.fan_in) == ((18, 5), 1, 5)
    assert (shared.weight_shape, shared.positions, shared.fan_in) == ((2, 5), 9, 5)


@pytest.mark.parametrize("wiring", [Flatten(), OneToOne(), Pool(kind="max", size=1)])
def test_constant_wirings_have_no_weights(wiring: Wiring) -> None:
    assert not wiring.weighted
    assert Geometry(wiring, (1, 2, 2), (1, 2, 2)).weight_shape is None
    with pytest.raises(TypeError, match="has no weights"):
        wiring.fan_in((1, 2, 2), (1, 2, 2))


@pytest.mark.parametrize(
    ("pool", "source", "read"),
    [
        (Pool(kind="max", size=3, stride=2, padding=1), (2, 7, 7), (4 * 3) ** 2),
        (Pool(kind="average", size="global"), (2, 7, 5), 35),
        (Pool(kind="average", to=(2, 5)), (2, 3, 5), (2 + 2) * 5),  # rows 0-1 and 1-2: the middle one twice
        (Pool(kind="max", size=3, stride=2, ceil=True), (2, 8, 7), (4 * 3) * (3 * 3)),
    ],
)
def test_how_many_neurons_the_windows_of_a_pool_read(pool: Pool, source: Shape, read: int) -> None:
    assert pool.neurons_read(source, pool.target_shape(source)) == read
