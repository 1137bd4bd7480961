"""The numbered contract of `Engine`, point by point; what other tests show is not repeated here."""

from typing import Any

import numpy as np
import pytest

from ...circuits.wiring import Shape, Wiring
from ...engine.backends import Engine, EngineError, InputError, UnsupportedByEngine, load_engine
from ...engine.compiler.operations import OPERATIONS
from ...engine.compiler.program import Program
from ..strategies.geometries import geometry
from .candidate import FINE, REFERENCE, Array, Candidate, close
from .cases import CASES, GEOMETRIES
from .programs import Hand, supplied
from .step import CONV, step


def ready(candidate: Candidate, samples: int = 4) -> tuple[Engine[Any], Program, dict[str, Any]]:
    """An engine, the step, and its inputs as the engine's own arrays."""
    engine, (program, arrays) = candidate.load(), step(samples)
    return engine, program, supplied(engine, program, arrays)


def in_numpy(engine: Engine[Any], arrays: dict[str, Any]) -> dict[str, Array]:
    return {name: engine.numpy(array) for name, array in arrays.items()}


# ---- what it says of itself


def test_it_says_only_what_there_is(widest: Candidate) -> None:
    """A misspelt name in its tables would go unnoticed otherwise."""
    engine = widest.load()
    assert engine.name == widest.engine
    assert engine.operations <= OPERATIONS.keys()
    assert engine.wirings <= GEOMETRIES.keys()
    for operation, names in engine.functions.items():
        assert names <= {case.form for case in CASES.values() if case.operation == operation}, operation
    assert set(engine.dtypes_on(widest.device)) <= set(engine.dtypes)


def test_an_unknown_dtype_or_device_is_refused(widest: Candidate) -> None:
    with pytest.raises(EngineError, match=r"engine '.*': dtype must be .*\(got 'float23'\)"):
        load_engine(widest.engine, dtype="float23")
    with pytest.raises(EngineError, match=r"engine '.*': device must be .*\(got 'abacus'\)"):
        load_engine(widest.engine, device="abacus")


# ---- 1. compiling


class Knitting(Wiring):
    """A wiring that no engine has."""

    kind = "knitting"
    weighted = False

    def target_shape(self, source: Shape, declared: Shape | None = None) -> Shape:
        return source


def test_what_is_not_supported_is_refused_before_compiling(widest: Candidate) -> None:
    """All places at once, each with what is supported in its stead."""
    hand = Hand()
    x = hand.input("x", np.ones((2, 3)))
    hand.value("transfer", x, shape=(3,), function="rely")
    hand.value("projekt", x, shape=(3,))
    hand.value("project", x, shape=(3,), geometry=geometry(Knitting(), (3,)))
    hand.value("gate", x, x, x, shape=(3,), function="softmax")
    with pytest.raises(UnsupportedByEngine) as caught:
        widest.load().compile(hand.program(x))
    first, second, third, fourth = str(caught.value).splitlines()
    start = f"engine '{widest.engine}': program 'by hand', value"
    assert first.startswith(f"{start} 1: transfer 'rely' is not supported.")
    assert "Did you mean 'relu'?" in first
    assert second.startswith(f"{start} 2: operation 'projekt' is not supported. Use engine='reference'")
    assert third.startswith(f"{start} 3: project over wiring 'knitting' is not supported. Use another wiring.")
    assert fourth.startswith(f"{start} 4: gate 'softmax' is not supported.")


def test_a_program_that_is_called_rarely_finds_the_same(fine: Candidate) -> None:
    engine, program, inputs = ready(fine)
    often, rarely = (engine.compile(program, rarely=how)(inputs) for how in (False, True))
    for name, value in in_numpy(engine, often).items():
        close(engine.numpy(rarely[name]), value, fine.tolerances.number, name)


# ---- 2. calling


def test_missing_and_misshapen_inputs_are_refused(widest: Candidate) -> None:
    engine, program, inputs = ready(widest)
    execute = engine.compile(program)
    with pytest.raises(InputError, match=r"'engaged': input 'label' must be supplied, shape \['batch'\].*'labels'"):
        execute({("labels" if name == "label" else name): array for name, array in inputs.items()})
    narrow = engine.array(np.ones((3, 2, 3)))
    with pytest.raises(InputError, match=r"input 'a->b' must have shape \[3, 2, 3, 3\] \(got \[3, 2, 3\]\)"):
        execute(inputs | {"a->b": narrow})
    with pytest.raises(InputError, match=r"input 'image-1.rate' must hold at least 1 samples \(got 0\)"):
        execute(inputs | {"image-1.rate": engine.array(np.ones((0, *CONV.lower)))})


def test_one_sample_has_no_unbiased_variance(widest: Candidate) -> None:
    hand = Hand()
    soma = hand.input("soma", np.ones((1, 3)))
    statistics = [hand.input(name, np.ones(3), batched=False) for name in ("gain", "bias", "mean", "variance")]
    scaled = hand.value("scale", soma, shape=(3,), factor=2.0)
    whole = hand.value("normalize", scaled, *statistics, shape=(3,), epsilon=1e-5, momentum=0.1)
    with pytest.raises(InputError, match="'soma' must hold at least 2 samples"):
        hand.answer(widest, hand.value("part", whole, shape=(3,), index=0))


# ---- 4., 5. and 7.: purity, batches, numbers


def test_inputs_stay_results_repeat_and_batches_differ(candidate: Candidate) -> None:
    """A second call gives the same bits, names that are not declared are ignored, and so is another batch size."""
    engine, program, _ = ready(candidate)
    execute = engine.compile(program)
    for samples in (4, 2, 7):
        arrays = step(samples)[1]
        inputs = supplied(engine, program, arrays) | {"nobody": engine.array(np.zeros(3))}
        before = in_numpy(engine, inputs)
        first, second = execute(inputs), execute(inputs)
        assert list(first) == list(program.results)
        for name, array in in_numpy(engine, inputs).items():
            np.testing.assert_array_equal(array, before[name], err_msg=name)
        for name in first:
            np.testing.assert_array_equal(engine.numpy(first[name]), engine.numpy(second[name]), err_msg=name)
        if candidate.dtype in FINE:
            assert {value.dtype for value in in_numpy(engine, first).values()} == {np.dtype(candidate.dtype)}
        expected = REFERENCE.load().compile(program)(arrays)
        for name in ("loss", "a->b", "b->c", "mean"):
            close(engine.numpy(first[name]), expected[name], candidate.tolerances.number, name)


def test_donated_inputs_end_under_their_names(fine: Candidate) -> None:
    """Step after step, each on what the last one left; what is not donated stays."""
    engine, program, inputs = ready(fine)
    states = ("a->b", "b->c", "mean")
    given, plain = dict(inputs), dict(inputs)
    for name in states:  # of these the engine may make what it likes
        given[name] = engine.array(engine.numpy(inputs[name]))
    donating, pure = engine.compile(program, donated=(*states, "gain")), engine.compile(program)
    for _ in range(3):
        found, expected = donating(given), pure(plain)
        given |= {name: found[name] for name in states}
        plain |= {name: expected[name] for name in states}
        for name in program.results:
            close(engine.numpy(found[name]), engine.numpy(expected[name]), fine.tolerances.number, name)
    before = step()[1]
    for name in ("image-1.rate", "rate"):
        close(engine.numpy(given[name]), before[name], fine.tolerances.number, name)


def test_parts_that_do_not_meet_may_have_batches_of_different_sizes(widest: Candidate) -> None:
    hand = Hand()
    several = (hand.input("few", np.ones((3, 2))), hand.input("more", np.ones((5, 2))))
    means = [hand.value("batch_mean", x, shape=(2,), batched=False, positions="keep") for x in several]
    for found in hand.answer(widest, *means):
        close(found, np.ones(2), 0)


def test_arrays_come_and_go(fine: Candidate) -> None:
    """Kinds, copies, and arrays that nobody may write into."""
    engine, given = fine.load(), np.arange(24.0).reshape(2, 3, 2, 2)
    given.flags.writeable = False
    array = engine.array(given)
    home = engine.numpy(array)
    assert home.dtype == fine.dtype
    assert home.flags.c_contiguous
    home[...] = 0  # a copy of its own
    close(engine.numpy(array), given, 0)
    close(engine.view(engine.array(array)), given, 0)
    assert engine.numpy(engine.array(np.arange(3), "int")).dtype == np.int64
    assert float(engine.numpy(engine.array(np.asarray(0.5)))) == 0.5


# ---- 8. ranks


def test_across_is_called_in_order_at_every_run(fine: Candidate) -> None:
    """With a stand-in for other processes, which sees what it is handed."""
    engine = fine.load()
    seen: list[Any] = []

    def doubled(value: Any) -> Any:
        seen.append(value)  # to be looked at afterwards: within a compiled step it may be the trace of an array
        return value + value

    engine.across = doubled
    hand = Hand()
    x = hand.input("x", np.array([1.0, 2.0]), batched=False)
    first = hand.value("across", x, shape=(2,), batched=False)
    shifted = hand.value("shift", x, shape=(2,), batched=False, amount=10.0)
    second = hand.value("across", shifted, shape=(2,), batched=False)
    total = hand.value("add", first, second, shape=(2,), batched=False)
    execute = engine.compile(hand.program(total))
    for calls in (1, 2):
        (found,) = execute(supplied(engine, hand.program(), hand.arrays)).values()
        close(engine.numpy(found), [24.0, 28.0], 0)
        assert [float(np.asarray(engine.numpy(value)).sum()) for value in seen] == [3.0, 23.0] * calls


# ---- noise


@pytest.mark.parametrize("distribution", ["normal", "uniform", "rademacher"])
def test_noise_is_white_and_a_function_of_all_seeds(fine: Candidate, distribution: str) -> None:
    engine = fine.load()

    def draw(*seed: int) -> Array:
        return engine.numpy(engine.noise(distribution, (200, 500), seed))

    noise = draw(1, 2)
    assert noise.dtype == engine.dtype
    assert noise.mean() == pytest.approx(0, abs=0.02)
    assert noise.var() == pytest.approx(1, abs=0.02)
    fourth = {"normal": 3, "uniform": 9 / 5, "rademacher": 1}[distribution]
    assert (noise**4).mean() == pytest.approx(fourth, abs=0.1)
    np.testing.assert_array_equal(noise, draw(1, 2))
    for other in ((2, 1), (1, 3), (1,), (1, 2, 0), (1, -2)):
        assert abs(np.corrcoef(noise.ravel(), draw(*other).ravel())[0, 1]) < 0.02


def test_unknown_noise_is_refused(widest: Candidate) -> None:
    with pytest.raises(EngineError, match=r"known distribution .*'norml'.*Did you mean 'normal'"):
        widest.load().noise("norml", (2,), (0,))
