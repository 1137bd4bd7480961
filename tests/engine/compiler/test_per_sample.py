"""The loss of each sample, put together from operations that give the mean of a batch alone: against that mean, and
against one sample at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterstream.engine.backends.registry import load_engine
from counterstream.engine.compiler.builder import ProgramBuilder
from counterstream.engine.compiler.per_sample import loss_of_each, sum_of_each

LOSSES = ("cross_entropy", "binary_cross_entropy", "squared")


@pytest.mark.parametrize("engine", ["reference", "torch"])
@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=25)
@given(
    shape=st.one_of(st.tuples(st.integers(2, 11)), st.tuples(*[st.integers(1, 3)] * 3)),
    samples=st.integers(1, 4),
    scale=st.sampled_from((0.1, 1.0, 300.0)),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_sample_s_loss_is_the_loss_of_a_batch_of_one(
    engine: str, loss: str, shape: tuple[int, ...], samples: int, scale: float, seed: int
) -> None:
    shape = shape[:1] if loss == "cross_entropy" else shape
    random = np.random.default_rng(seed)
    x, code = scale * random.normal(size=(samples, *shape)), random.uniform(size=(samples, *shape))
    if loss == "cross_entropy":
        code /= code.sum(axis=1, keepdims=True)
    build = ProgramBuilder("each")
    given_x = build.input("data/x", shape, role="data", batched=True)
    given_code = build.input("label/x", shape, role="label", batched=True)
    each = loss_of_each(build, given_x, given_code, loss)
    assert build[each].shape == ()
    assert build[each].batched
    results = {"each": each, "mean": build.batch_mean(each, "keep"), "loss": build.loss(given_x, given_code, loss)}
    made = load_engine(engine, dtype="float64")
    run = made.compile(build.program(results))
    inputs = {"data/x": made.array(x), "label/x": made.array(code)}
    found = {name: made.numpy(value) for name, value in run(inputs).items()}
    np.testing.assert_allclose(found["mean"], found["loss"], rtol=1e-12, atol=1e-12)
    for sample, value in enumerate(found["each"]):
        alone = run({name: array[sample : sample + 1] for name, array in inputs.items()})
        np.testing.assert_allclose(value, made.numpy(alone["loss"]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("engine", ["reference", "torch"])
def test_a_sum_of_each_sample_is_exact_where_floats_are(engine: str) -> None:
    build = ProgramBuilder("sum")
    x = build.input("data/x", (2, 3, 2), role="data", batched=True)
    made = load_engine(engine, dtype="float64")
    run = made.compile(build.program({"sum": sum_of_each(build, x)}))
    values = np.arange(60.0).reshape(5, 2, 3, 2)
    np.testing.assert_array_equal(made.numpy(run({"data/x": made.array(values)})["sum"]), values.sum(axis=(1, 2, 3)))
