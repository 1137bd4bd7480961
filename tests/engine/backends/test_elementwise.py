"""Elementwise operations on both engines, the fusions of the torch engine among them."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.engine.backends import load_engine
from counterstream.testing.conformance.candidate import close
from counterstream.testing.conformance.programs import Hand
from counterstream.testing.strategies.geometries import seeds

FUNCTIONS = {
    "relu": lambda x: np.where(x > 0, x, 0),
    "sign": np.sign,
    "abs": np.abs,
    "exp": np.exp,
    "tanh": np.tanh,
    "sigmoid": lambda x: (1 + np.tanh(x / 2)) / 2,
    "step": lambda x: np.heaviside(x, 0),
    "sqrt": np.sqrt,
}
OF_TWO = {"add": np.add, "multiply": np.multiply, "divide": np.divide}
ENGINES = ["reference", "torch"]
shapes = st.one_of(st.just(()), st.tuples(st.integers(1, 4)), st.tuples(*[st.integers(1, 3)] * 3))

# what a value of shape () can be beside one of another shape: (own shape or not, batched or not)
SIDES = list(product([True, False], [True, False]))


def operand(hand: Hand, name: str, shape: tuple[int, ...], batched: bool, seed: int) -> tuple[int, np.ndarray]:
    """(position, array shaped to broadcast over (samples, *shape) whatever the operand's own shape is)."""
    random = np.random.default_rng(seed)
    array = random.uniform(0.5, 2, (3, *shape) if batched else shape) * random.choice([-1, 1])
    return hand.input(name, array, batched=batched), array


def spread(array: np.ndarray, batched: bool, rank: int) -> np.ndarray:
    head = array.shape[:1] if batched else (1,)
    tail = array.shape[1:] if batched else array.shape
    return array.reshape(*head, *(tail or (1,) * rank))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("operation", OF_TWO)
@given(shape=shapes, left=st.sampled_from(SIDES), right=st.sampled_from(SIDES), seed=seeds)
def test_of_two(
    engine: str,
    operation: str,
    shape: tuple[int, ...],
    left: tuple[bool, bool],
    right: tuple[bool, bool],
    seed: int,
) -> None:
    """Scalars, one for all or one a sample, meet any shape, on either side."""
    hand = Hand()
    of_a, of_b = (shape if own else () for own, _ in (left, right))
    a, first = operand(hand, "a", of_a, left[1], seed)
    b, second = operand(hand, "b", of_b, right[1], seed + 1)
    joint, batched = of_a or of_b, left[1] or right[1]
    (found,) = hand.run(hand.value(operation, a, b, shape=joint, batched=batched), engine=engine)
    expected = OF_TWO[operation](spread(first, left[1], len(joint)), spread(second, right[1], len(joint)))
    close(found, expected if batched else expected[0])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(engine: str, name: str) -> None:
    x = np.array([[0.0, 0.5, 3.0, 700.0]]) if name == "sqrt" else np.array([[-700.0, -1.5, 0.0, 0.25, 3.0, 700.0]])
    hand = Hand()
    value = hand.value("function", hand.input("x", x), shape=x.shape[1:], name=name)
    close(hand.run(value, engine=engine)[0], FUNCTIONS[name](x))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("operation", "attribute", "amount", "expected"),
    [
        ("scale", "factor", -2.5, lambda x: -2.5 * x),
        ("shift", "amount", 0.75, lambda x: x + 0.75),
        ("power", "exponent", 3, lambda x: x * x * x),
        ("power", "exponent", 0, np.ones_like),
        ("power", "exponent", -1, lambda x: 1 / x),
    ],
)
@pytest.mark.parametrize("x", [np.array([[1.5, -2.0]]), np.array(0.5)], ids=["values", "scalar"])
def test_of_one(engine, operation, attribute, amount, expected, x) -> None:
    hand = Hand()
    a = hand.input("x", x, batched=x.ndim > 0)
    value = hand.value(operation, a, shape=x.shape[1:], batched=x.ndim > 0, **{attribute: amount})
    close(hand.run(value, engine=engine)[0], expected(x))


@given(
    shape=shapes,
    batched=st.booleans(),
    scalar=st.booleans(),
    factor=st.floats(-3, 3).filter(lambda f: f not in (0, 1)),
    flip=st.booleans(),
    scaled=st.booleans(),
    kept_is_scalar=st.booleans(),
    also_read=st.booleans(),
    seed=seeds,
)
def test_fused_sums(shape, batched, scalar, factor, flip, scaled, kept_is_scalar, also_read, seed) -> None:
    """a + c (m y) in every shape that the torch engine may fuse, and with the product read elsewhere too."""
    hand = Hand()
    a, _ = operand(hand, "a", () if kept_is_scalar else shape, batched, seed)
    m, _ = operand(hand, "m", () if scalar else shape, batched, seed + 1)
    y, _ = operand(hand, "y", shape, batched, seed + 2)
    product_ = hand.value("multiply", m, y, shape=shape, batched=batched)
    term = hand.value("scale", product_, shape=shape, batched=batched, factor=factor) if scaled else product_
    total = hand.value("add", *((term, a) if flip else (a, term)), shape=shape, batched=batched)
    results = [total, product_] if also_read else [total]
    for found, expected in zip(hand.run(*results, engine="torch"), hand.run(*results), strict=True):
        close(found, expected)


def test_sgd_is_one_call_a_line() -> None:
    """v' = mu v + g and w' = w - eta v' with runtime rates: two calls, no temporaries beyond their results."""
    hand = Hand()
    rate, momentum = (hand.input(name, 0.1, batched=False) for name in ("rate", "momentum"))
    w, v, g = (hand.input(name, np.ones((2, 3)), batched=False) for name in "wvg")
    shape = {"shape": (2, 3), "batched": False}
    trace = hand.value("add", hand.value("multiply", momentum, v, **shape), g, **shape)
    step = hand.value("scale", hand.value("multiply", rate, trace, **shape), factor=-1.0, **shape)
    moved = hand.value("add", w, step, **shape)
    code = load_engine("torch", dtype="float64").compile(hand.program(trace, moved)).module.code
    assert code.count("torch.") == code.count("torch.addcmul(") == 2
    close(hand.run(moved, engine="torch")[0], np.full((2, 3), 0.89))
