"""Wirings against autograd and against what defines an adjoint. That engines agree, the conformance suite tests."""

import numpy as np
import pytest
import torch
from hypothesis import given

from counterstream.circuits.wiring import Conv, Dense, Geometry, Pool
from counterstream.engine.backends import load_engine
from counterstream.testing.conformance.candidate import close
from counterstream.testing.conformance.programs import SAMPLES, Laid
from counterstream.testing.strategies import geometries
from counterstream.testing.strategies.geometries import geometry, seeds


@given(geometries(weighted=True), seeds)
def test_engines_agree_where_nothing_can_be_shared(drawn: Geometry, seed: int) -> None:
    """Alone, a correlation has no kernel and a way back no lower activity: only their shapes may be read."""
    laid = Laid(drawn, seed)
    torch.use_deterministic_algorithms(True)  # fills memory that was never written with nan
    try:
        for asked in (laid.project_back, laid.correlate):
            close(laid.hand.run(asked, engine="torch")[0], laid.hand.run(asked)[0])
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("engine", ["reference", "torch"])
def test_first_means_row_major(engine: str) -> None:
    laid = Laid(geometry(Pool(kind="max", size=2), (1, 2, 2)), seed=0)
    laid.hand.arrays |= {
        "lower": np.array([[[[0.0, 7], [7, 7]]], [[[0, 0], [7, 7]]], [[[7, 7], [7, 7]]]]),
        "upper": np.ones((3, 1, 1, 1)),
    }
    (back,) = laid.hand.run(laid.project_back, engine=engine)
    assert back.reshape(3, 4).argmax(axis=1).tolist() == [1, 2, 0]
    assert back.sum() == 3


@given(geometries(), seeds)
def test_back_is_the_adjoint(drawn: Geometry, seed: int) -> None:
    """<project x, u> = <x, project_back u>: for a max pool too, since it is linear around x."""
    laid = Laid(drawn, seed)
    project, back = laid.hand.run(laid.project, laid.project_back)
    x, u = laid.hand.arrays["lower"], laid.hand.arrays["upper"]
    close((project * u).sum(), (x * back).sum())


@given(geometries(weighted=True), seeds)
def test_correlation_is_the_adjoint_in_the_weight(drawn: Geometry, seed: int) -> None:
    """<project_w x, u> = N <w, correlate(x, u)>."""
    laid = Laid(drawn, seed)
    project, correlation = laid.hand.run(laid.project, laid.correlate)
    arrays = laid.hand.arrays
    close((project * arrays["upper"]).sum(), SAMPLES * (arrays["weight"] * correlation).sum())


def by_autograd(laid: Laid) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """The current, and its vector-Jacobian products with the upper signal, by torch.nn.functional and autograd."""
    wiring, upper = laid.geometry.wiring, laid.geometry.upper
    tensors = {name: torch.tensor(array) for name, array in laid.hand.arrays.items()}
    x = tensors["lower"].requires_grad_()
    leaves = [x]
    if "weight" in tensors:
        leaves.append(tensors["weight"].requires_grad_())
    functional = torch.nn.functional
    match wiring:
        case Conv():
            y = functional.conv2d(x, leaves[1], None, wiring.stride, wiring.pads, wiring.dilation, wiring.groups)
        case Dense():
            y = functional.linear(x.flatten(1), leaves[1])
            y = y[:, :, None, None].expand(-1, *upper) if wiring.shared and len(upper) == 3 else y.view(-1, *upper)
        case Pool(over="max"):
            y = functional.max_pool2d(x, *wiring.window(laid.geometry.lower), wiring.padding, ceil_mode=wiring.ceil)
        case Pool(to=(_, _)):
            y = functional.adaptive_avg_pool2d(x, wiring.to)
        case Pool():
            y = functional.avg_pool2d(x, *wiring.window(laid.geometry.lower), wiring.padding)
        case _:
            source = getattr(wiring, "source", None) or (0, laid.geometry.lower[0])
            first = (getattr(wiring, "target", None) or (0,))[0]
            taken = x[:, slice(*source)]
            if wiring.kind == "flatten":
                y = x.reshape(-1, *upper)
            else:
                y = torch.zeros(SAMPLES, *upper, dtype=x.dtype)
                y = y.index_copy(1, torch.arange(first, first + taken.shape[1]), taken)
    return y, torch.autograd.grad(y, leaves, tensors["upper"])


@pytest.mark.parametrize("engine", ["reference", "torch"])
@given(drawn=geometries(), seed=seeds)
def test_against_autograd(engine: str, drawn: Geometry, seed: int) -> None:
    laid = Laid(drawn, seed)
    current, gradients = by_autograd(laid)
    asked = [laid.project, laid.project_back] + ([laid.correlate] if laid.weights else [])
    found = laid.hand.run(*asked, engine=engine)
    close(found[0], current.detach().numpy())
    close(found[1], gradients[0].numpy())
    if laid.weights:
        close(found[2] * SAMPLES, gradients[1].numpy())


@given(geometries(weighted=True), seeds)
def test_finite_differences(drawn: Geometry, seed: int) -> None:
    """The reference alone: what project does when one weight or one activity moves by h (project is bilinear)."""
    laid = Laid(drawn, seed)
    asked = [laid.project, laid.project_back, laid.correlate]
    before, back, correlation = laid.hand.run(*asked)
    upper, place = laid.hand.arrays["upper"], np.random.default_rng(seed)
    for name, slope in (("lower", back), ("weight", correlation * SAMPLES)):
        kept = laid.hand.arrays[name]
        at = tuple(int(place.integers(side)) for side in kept.shape)
        moved = kept.copy()
        moved[at] += 1.0
        laid.hand.arrays[name] = moved
        after, _, _ = laid.hand.run(*asked)
        laid.hand.arrays[name] = kept
        close(((after - before) * upper).sum(), slope[at])


@given(geometries(weighted=True), seeds)
def test_per_tap_counts_what_a_correlation_of_ones_counts(drawn: Geometry, seed: int) -> None:
    """`mean` of a correlation of ones with ones is 1 at every synapse and 0 at taps that no position sees."""
    laid = Laid(drawn, seed)
    hand = laid.hand
    for name in ("lower", "upper"):
        hand.arrays[name] = np.ones_like(hand.arrays[name])
    ones = laid.correlate
    mean = hand.value("per_tap", ones, shape=hand.values[ones].shape, batched=False, geometry=drawn, kind="mean")
    counted, averaged, seen = hand.run(ones, mean, laid.per_tap("seen"))
    close(averaged, (counted > 0) * 1.0)
    close(seen, hand.arrays["weight"] * (counted > 0))


def test_one_call_yields_way_back_and_correlation() -> None:
    """With independent B: the kernel of the way back has nothing to do with the lower activity."""
    laid = Laid(geometry(Conv(channels=4, kernel=3), (2, 5, 5)), seed=1)
    executable = load_engine("torch").compile(laid.hand.program(laid.project_back, laid.correlate))
    assert executable.module.code.count("aten.convolution_backward") == 1
