"""Populations on both engines: against each other, and against autograd wherever a backprop quantity is the claim."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from counterstream.circuits.transfers import TRANSFERS
from counterstream.testing.conformance.candidate import close
from counterstream.testing.conformance.programs import Hand
from counterstream.testing.strategies.geometries import seeds

ENGINES = ["reference", "torch"]
shapes = st.one_of(st.tuples(st.integers(1, 5)), st.tuples(*[st.integers(1, 4)] * 3))
few = settings(max_examples=40)  # of small arrays, of which one is like the other
LOSSES = ["cross_entropy", "binary_cross_entropy", "squared"]


def both(make: Callable[[Hand], list[int]]) -> list[np.ndarray]:
    """The torch engine's results, after having been compared with the reference's."""
    hand = Hand()
    asked = make(hand)
    results = hand.run(*asked, engine="torch")
    for found, expected in zip(results, hand.run(*asked), strict=True):
        close(found, expected)
    return results


def parts(hand: Hand, whole: int, *shapes_: tuple[int, ...]) -> list[int]:
    first = hand.values[whole].shape
    return [
        hand.value("part", whole, shape=shape, batched=shape == first and index == 0, index=index)
        for index, shape in enumerate(shapes_)
    ]


class Normalized:
    """A population with batch normalization, its statistics, and an error that comes back to it."""

    def __init__(self, shape: tuple[int, ...], seed: int, samples: int = 4) -> None:
        random = np.random.default_rng(seed)
        channels = shape[:1]
        self.shape, self.channels = shape, channels
        self.soma = random.normal(1, 3, (samples, *shape))
        self.error = random.normal(size=(samples, *shape))
        self.gain, self.bias, self.mean = random.normal(size=(3, *channels))
        self.variance = random.uniform(0.5, 2, channels)

    def forward(self, hand: Hand) -> tuple[list[int], list[int]]:
        """(soma, gain, bias), parts of normalize."""
        soma = hand.input("soma", self.soma)
        names = ("gain", "bias", "mean", "variance")
        statistics = [hand.input(name, getattr(self, name), batched=False) for name in names]
        whole = hand.value("normalize", soma, *statistics, shape=self.shape, epsilon=1e-5, momentum=0.1)
        return [soma, *statistics], parts(hand, whole, self.shape, *[self.channels] * 4)

    def back(self, hand: Hand) -> list[int]:
        operands, (_, mean, deviation, *_) = self.forward(hand)
        gated = hand.input("gated", self.error)
        whole = hand.value("normalize_back", gated, *operands[:2], mean, deviation, shape=self.shape)
        return parts(hand, whole, self.shape, self.channels, self.channels)


@few
@given(shapes, seeds)
def test_normalize(shape: tuple[int, ...], seed: int) -> None:
    case = Normalized(shape, seed)
    rate, mean, deviation, new_mean, new_variance = both(lambda hand: case.forward(hand)[1])
    running = torch.tensor(case.mean), torch.tensor(case.variance)
    expected = torch.nn.functional.batch_norm(
        torch.tensor(case.soma), *running, torch.tensor(case.gain), torch.tensor(case.bias), training=True
    )
    close(rate, expected.numpy())
    close(new_mean, running[0].numpy())
    close(new_variance, running[1].numpy())
    axes = (0, *range(2, case.soma.ndim))
    close(mean, case.soma.mean(axis=axes))
    close(deviation, (case.soma.var(axis=axes) + 1e-5) ** -0.5)


@few
@given(shapes, seeds)
def test_normalize_back(shape: tuple[int, ...], seed: int) -> None:
    case = Normalized(shape, seed)
    found = both(case.back)
    leaves = [torch.tensor(getattr(case, name)).requires_grad_() for name in ("soma", "gain", "bias")]
    rate = torch.nn.functional.batch_norm(leaves[0], None, None, *leaves[1:], training=True)
    soma, gain, bias = torch.autograd.grad(rate, leaves, torch.tensor(case.error))
    for result, expected in zip(found, (soma, gain / len(case.soma), bias / len(case.soma)), strict=True):
        close(result, expected.numpy(), 1e-10)


@pytest.mark.parametrize("read", [0, 1, 2])
def test_each_part_of_normalize_back_alone(read: int) -> None:
    """The torch engine leaves out what nobody reads; what is read must not change by it."""
    case = Normalized((3, 2, 2), seed=5)
    alone = both(lambda hand: [case.back(hand)[read]])
    # a part that is never made has no reader at all
    hand = Hand()
    asked = case.back(hand)
    hand.values[asked[0] :] = [hand.values[asked[read]]]
    close(hand.run(asked[0], engine="torch")[0], alone[0])


@few
@given(shapes, seeds)
def test_normalize_fixed_and_standardize(shape: tuple[int, ...], seed: int) -> None:
    case = Normalized(shape, seed)

    def make(hand: Hand) -> list[int]:
        (soma, *statistics), _ = case.forward(hand)
        fixed = hand.value("normalize_fixed", soma, *statistics, shape=shape, epsilon=1e-5)
        drive = hand.value("standardize", soma, statistics[2], statistics[3], shape=shape)
        return [fixed, drive]

    fixed, drive = both(make)
    tensors = [torch.tensor(getattr(case, name)) for name in ("soma", "mean", "variance", "gain", "bias")]
    close(fixed, torch.nn.functional.batch_norm(*tensors, training=False).numpy())
    tail = (1,) * (len(shape) - 1)
    close(drive, (case.soma - case.mean.reshape(-1, *tail)) * case.variance.reshape(-1, *tail))


@few
@given(shapes, seeds, st.booleans())
def test_offset(shape: tuple[int, ...], seed: int, batched: bool) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(4, *shape))
    v = random.normal(size=(4, shape[0]) if batched else shape[:1])
    (found,) = both(
        lambda hand: [hand.value("offset", hand.input("x", x), hand.input("v", v, batched=batched), shape=shape)]
    )
    close(found, x + v.reshape(*(v.shape if batched else (1, *v.shape)), *(1,) * (len(shape) - 1)))


# ---- transfer and gate

functionals: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "linear": lambda x: x.clone(),
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "hardswish": torch.nn.functional.hardswish,
    "relu6": torch.nn.functional.relu6,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "softmax": lambda x: torch.softmax(x, 1),
}


def activities(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Small, large, very large numbers and exact zeros."""
    random = np.random.default_rng(seed)
    return random.normal(size=(4, *shape)) * random.choice([0, 1, 1, 10, 800], (4, *shape))


def test_every_transfer_has_an_oracle() -> None:
    assert functionals.keys() == TRANSFERS.keys()


@pytest.mark.parametrize("name", TRANSFERS)
@few
@given(shape=shapes, seed=seeds)
def test_transfer(name: str, shape: tuple[int, ...], seed: int) -> None:
    x = activities(shape, seed)
    (found,) = both(lambda hand: [hand.value("transfer", hand.input("x", x), shape=shape, function=name)])
    close(found, functionals[name](torch.tensor(x)).numpy())


@pytest.mark.parametrize("name", [name for name, transfer in TRANSFERS.items() if transfer.gated])
@few
@given(shape=shapes, seed=seeds)
def test_gate(name: str, shape: tuple[int, ...], seed: int) -> None:
    x = activities(shape, seed)
    signal = np.random.default_rng(seed + 1).normal(size=x.shape)

    def make(hand: Hand) -> list[int]:
        soma, error = hand.input("x", x), hand.input("error", signal)
        rate = hand.value("transfer", soma, shape=shape, function=name)
        return [hand.value("gate", error, soma, rate, shape=shape, function=name)]

    (found,) = both(make)
    leaf = torch.tensor(x, requires_grad=True)
    (expected,) = torch.autograd.grad(functionals[name](leaf), leaf, torch.tensor(signal))
    close(found, expected.numpy())
    if name == "relu":
        assert (found[x == 0] == 0).all()


@pytest.mark.parametrize(
    ("name", "kinks", "derivatives"),
    [("relu", [0.0], [0]), ("relu6", [0.0, 6], [0, 0]), ("hardswish", [-3.0, 0, 3], [0, 0.5, 1])],
)
def test_derivatives_at_kinks(name: str, kinks: list[float], derivatives: list[float]) -> None:
    """Conventions, the same in both engines and in autograd, in a batch of one and in one that fills vector registers.

    Autograd's hardswish has had others in former releases of torch; where this fails for it, say so in the table.
    """
    for repeat in (1, 64):
        x = np.repeat(kinks, repeat)[:, None]

        def make(hand: Hand, x: np.ndarray = x) -> list[int]:
            soma, error = hand.input("x", x), hand.input("error", np.ones_like(x))
            rate = hand.value("transfer", soma, shape=(1,), function=name)
            return [hand.value("gate", error, soma, rate, shape=(1,), function=name)]

        (found,) = both(make)
        leaf = torch.tensor(x, requires_grad=True)
        (expected,) = torch.autograd.grad(functionals[name](leaf).sum(), leaf)
        close(found, np.repeat(derivatives, repeat)[:, None])
        close(found, expected.numpy())


@pytest.mark.parametrize("transfer", [t for t in TRANSFERS.values() if t.slope is not None], ids=lambda t: t.name)
@pytest.mark.parametrize("deviation", [0.1, 1.0, 5.0])
def test_declared_slopes_are_exact(transfer: Any, deviation: float) -> None:
    """E[phi(u) u] = slope E[u^2] for symmetric u of any variance: u and -u are both in the sample, so no
    noise remains."""
    u = np.random.default_rng(0).normal(0, deviation, (500, 1))
    u = np.concatenate([u, -u])
    (rate,) = both(lambda hand: [hand.value("transfer", hand.input("x", u), shape=(1,), function=transfer.name)])
    assert (rate * u).mean() == pytest.approx(transfer.slope * (u**2).mean(), rel=1e-12)


# ---- outputs


def output(hand: Hand, x: np.ndarray, label: np.ndarray, loss: str) -> list[int]:
    logits, target = hand.input("x", x), hand.input("label", label)
    return [
        hand.value("error", logits, target, shape=x.shape[1:], loss=loss),
        hand.value("loss", logits, target, shape=(), batched=False, loss=loss),
        hand.value("accuracy", logits, target, shape=(), batched=False),
    ]


def torch_loss(loss: str, x: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
    """Sum over samples."""
    functional = torch.nn.functional
    match loss:
        case "cross_entropy":
            return functional.cross_entropy(x, code, reduction="sum")
        case "binary_cross_entropy":
            return functional.binary_cross_entropy_with_logits(x, code, reduction="sum")
        case _:
            return functional.mse_loss(x, code, reduction="sum") / 2


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("by_class", [True, False])
@few
@given(classes=st.integers(2, 6), seed=seeds, size=st.sampled_from([1.0, 1e4]))
def test_error_is_the_gradient_of_the_loss_times_the_batch(
    loss: str, by_class: bool, classes: int, seed: int, size: float
) -> None:
    """Huge logits included: nothing overflows and no logarithm of zero is taken."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(5, classes)) * size
    label = random.integers(0, classes, 5)
    code = np.eye(classes)[label] if by_class else random.dirichlet(np.ones(classes), 5)
    error, mean, accuracy = both(lambda hand: output(hand, x, label if by_class else code, loss))
    leaf = torch.tensor(x, requires_grad=True)
    total = torch_loss(loss, leaf, torch.tensor(code))
    (gradient,) = torch.autograd.grad(total, leaf)
    close(error, gradient.numpy())
    close(mean, total.detach().numpy() / 5)
    close(accuracy, np.asarray((x.argmax(1) == code.argmax(1)).mean()))


def test_accuracy_of_equal_logits_takes_the_first() -> None:
    x, label = np.zeros((4, 3)), np.array([0, 1, 2, 0])
    _, _, accuracy = both(lambda hand: output(hand, x, label, "squared"))
    assert accuracy == 0.5


def test_one_hot_and_ones() -> None:
    def make(hand: Hand) -> list[int]:
        label = hand.input("label", np.array([2, 0, 1]))
        code = hand.value("one_hot", label, shape=(4,))
        return [code, hand.value("ones", label, shape=(1, 2, 2)), hand.value("ones", code, shape=(2,))]

    code, ones, more = both(make)
    close(code, np.eye(4)[[2, 0, 1]])
    close(ones, np.ones((3, 1, 2, 2)))
    close(more, np.ones((3, 2)))


@pytest.mark.parametrize("positions", ["keep", "sum", "mean"])
@few
@given(shape=st.one_of(st.just(()), shapes), seed=seeds)
def test_batch_mean(positions: str, shape: tuple[int, ...], seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(4, *shape))
    left = shape if positions == "keep" else shape[:1]
    (found,) = both(
        lambda hand: [hand.value("batch_mean", hand.input("x", x), shape=left, batched=False, positions=positions)]
    )
    mean = x.mean(axis=0)
    reduce = {"keep": lambda m, **_: m, "sum": np.sum, "mean": np.mean}[positions]
    close(found, reduce(mean, axis=tuple(range(1, mean.ndim))) if mean.ndim else mean)
