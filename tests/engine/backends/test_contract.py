"""The numbered contract of `Engine`, on every engine that is installed with the package."""

import weakref

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from counterstream.circuits.wiring import Conv, Dense, Pool
from counterstream.engine.backends import InputError, UnsupportedByEngine, load_engine
from counterstream.engine.compiler.operations import OPERATIONS
from counterstream.engine.compiler.program import Program

from .programs import Hand, Laid, close, geometry

ENGINES = ["reference", "torch"]


def step(samples: int = 4, seed: int = 0) -> tuple[Program, dict[str, np.ndarray]]:
    """A step of a small circuit in which every operation occurs: conv, pool, dense, normalization, losses, SGD."""
    random = np.random.default_rng(seed)
    hand = Hand()
    conv = geometry(Conv(channels=3, kernel=3, stride=2), (2, 7, 7))
    pool = geometry(Pool(kind="max", size=2), conv.upper)
    dense = geometry(Dense(size=5), pool.upper)
    x = hand.input("image-1.rate", random.normal(size=(samples, *conv.lower)))
    label = hand.input("label", random.integers(0, 5, samples))
    w, b, u = (
        hand.input(name, random.normal(size=shape), batched=False)
        for name, shape in (
            ("a->b", conv.weight_shape),
            ("a->b~", conv.weight_shape),
            ("b->c", dense.weight_shape),
        )
    )
    statistics = [hand.input(name, np.full(3, start), batched=False) for name, start in
                  (("gain", 1.5), ("bias", 0.5), ("mean", 0.0), ("variance", 1.0))]  # fmt: skip
    rate = hand.input("rate", np.asarray(0.1), batched=False)

    soma = hand.value("project", x, w, shape=conv.upper, geometry=conv)
    whole = hand.value("normalize", soma, *statistics, shape=conv.upper, epsilon=1e-5, momentum=0.1)
    drive, mean, deviation, new_mean, new_variance = (
        hand.value("part", whole, shape=conv.upper if k == 0 else (3,), batched=k == 0, index=k) for k in range(5)
    )
    y = hand.value("transfer", drive, shape=conv.upper, function="relu")
    pooled = hand.value("project", y, shape=pool.upper, geometry=pool)
    logits = hand.value("project", pooled, u, shape=(5,), geometry=dense)
    loss = hand.value("loss", logits, label, shape=(), batched=False, loss="cross_entropy")
    hits = hand.value("accuracy", logits, label, shape=(), batched=False)
    delta = hand.value("error", logits, label, shape=(5,), loss="cross_entropy")
    back = hand.value("project_back", delta, u, shape=pool.upper, geometry=dense)
    back = hand.value("project_back", back, y, shape=pool.lower, geometry=pool)
    gated = hand.value("gate", back, drive, y, shape=conv.upper, function="relu")
    whole = hand.value("normalize_back", gated, soma, statistics[0], mean, deviation, shape=conv.upper)
    error, of_gain, _ = (
        hand.value("part", whole, shape=conv.upper if k == 0 else (3,), batched=k == 0, index=k) for k in range(3)
    )
    lowest = hand.value("project_back", error, b, shape=conv.lower, geometry=conv)
    of_w = hand.value("correlate", x, error, shape=conv.weight_shape, batched=False, geometry=conv)
    of_u = hand.value("correlate", pooled, delta, shape=dense.weight_shape, batched=False, geometry=dense)
    per_tap = hand.value("per_tap", of_w, shape=conv.weight_shape, batched=False, geometry=conv, kind="mean")

    weights = {"shape": conv.weight_shape, "batched": False}
    by_rate = hand.value("multiply", rate, per_tap, **weights)
    moved = hand.value("add", w, hand.value("scale", by_rate, factor=-1.0, **weights), **weights)
    odd = hand.value("function", hand.value("power", moved, exponent=2, **weights), name="sqrt", **weights)
    odd = hand.value("divide", odd, hand.value("shift", odd, amount=1.0, **weights), **weights)
    fixed = hand.value("normalize_fixed", soma, *statistics, shape=conv.upper, epsilon=1e-5)
    standard = hand.value("standardize", fixed, mean, deviation, shape=conv.upper)
    level = hand.value("batch_mean", standard, shape=(3,), batched=False, positions="mean")
    shifted = hand.value("offset", standard, level, shape=conv.upper)
    ones = hand.value("ones", x, shape=(5,))
    code = hand.value("add", ones, hand.value("one_hot", label, shape=(5,)), shape=(5,))
    length = hand.value("norm", standard, shape=(), batched=False)
    turned = hand.value("angle", error, soma, shape=(), batched=False)
    many = hand.value("across", hand.value("samples", x, shape=(), batched=False), shape=(), batched=False)
    results = (loss, hits, new_mean, new_variance, of_gain, lowest, of_u, moved, odd, shifted, code)
    return hand.program(*results, length, turned, many, name="engaged"), hand.arrays


def test_every_operation_is_defined_implemented_and_run() -> None:
    program, arrays = step()
    assert {value.operation for value in program} == set(OPERATIONS)
    for name in ENGINES:
        assert load_engine(name).operations == set(OPERATIONS)
    results = []
    for name in ENGINES:
        engine = load_engine(name, dtype="float64")
        inputs = {key: engine.array(a, "int" if key == "label" else "float") for key, a in arrays.items()}
        results.append([engine.numpy(r) for r in engine.compile(program)(inputs).values()])
    for found, expected in zip(*results, strict=True):
        close(found, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ENGINES)
def test_purity_repetition_dtype_and_batch_size(name: str, dtype: str) -> None:
    """Inputs stay as they are, a second call gives the same bits, extra names are ignored, and so is another
    batch size."""
    engine = load_engine(name, dtype=dtype)
    executable = engine.compile(step()[0])
    for samples in (4, 1, 7):
        arrays = step(samples)[1] | {"nobody": np.zeros(3)}
        inputs = {key: engine.array(a, "int" if key == "label" else "float") for key, a in arrays.items()}
        before = {key: engine.numpy(a) for key, a in inputs.items()}
        first, second = executable(inputs), executable(inputs)
        for key, array in inputs.items():
            np.testing.assert_array_equal(engine.numpy(array), before[key])
        for key in first:
            assert engine.numpy(first[key]).dtype == dtype
            np.testing.assert_array_equal(engine.numpy(first[key]), engine.numpy(second[key]))


@pytest.mark.parametrize("name", ENGINES)
def test_missing_and_misshapen_inputs(name: str) -> None:
    engine = load_engine(name)
    program, arrays = step()
    executable = engine.compile(program)
    inputs = {key: engine.array(a, "int" if key == "label" else "float") for key, a in arrays.items()}
    with pytest.raises(InputError, match=r"'engaged': input 'label' must be supplied, shape \['batch'\].*'labels'"):
        executable({("labels" if key == "label" else key): a for key, a in inputs.items()})
    with pytest.raises(InputError, match=r"input 'a->b' must have shape \[3, 2, 3, 3\] \(got \[3, 2, 3\]\)"):
        executable(inputs | {"a->b": inputs["a->b"][..., 0]})
    with pytest.raises(InputError, match=r"input 'image-1.rate' must hold at least 1 samples \(got 0\)"):
        executable(inputs | {"image-1.rate": inputs["image-1.rate"][:0]})


@pytest.mark.parametrize("name", ENGINES)
def test_one_sample_has_no_unbiased_variance(name: str) -> None:
    hand = Hand()
    soma = hand.input("soma", np.ones((1, 3)))
    statistics = [hand.input(key, np.ones(3), batched=False) for key in ("gain", "bias", "mean", "variance")]
    scaled = hand.value("scale", soma, shape=(3,), factor=2.0)
    whole = hand.value("normalize", scaled, *statistics, shape=(3,), epsilon=1e-5, momentum=0.1)
    with pytest.raises(InputError, match="'soma' must hold at least 2 samples"):
        hand.run(hand.value("part", whole, shape=(3,), index=0), engine=name)


@pytest.mark.parametrize("name", ENGINES)
def test_unsupported_operations_are_all_named_before_compiling(name: str) -> None:
    hand = Hand()
    x = hand.input("x", np.ones((2, 3)))
    hand.value("transfer", x, shape=(3,), function="rely")
    hand.value("projekt", x, shape=(3,))
    with pytest.raises(UnsupportedByEngine) as caught:
        load_engine(name).compile(hand.program(x))
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"engine '{name}': program 'by hand', value 1: transfer 'rely' is not supported.")
    assert "Did you mean 'relu'?" in first
    assert "value 2: operation 'projekt' is not supported. Use engine='reference'" in second
    assert "Did you mean 'project'?" in second


@pytest.mark.parametrize("name", ENGINES)
def test_softmax_has_no_gate(name: str) -> None:
    hand = Hand()
    x = hand.input("x", np.ones((2, 3)))
    value = hand.value("gate", x, x, x, shape=(3,), function="softmax")
    with pytest.raises(UnsupportedByEngine, match="gate 'softmax' is not supported"):
        load_engine(name).compile(hand.program(value))


@pytest.mark.parametrize("distribution", ["normal", "uniform", "rademacher"])
@pytest.mark.parametrize("name", ENGINES)
def test_noise_is_white_and_a_function_of_all_seeds(name: str, distribution: str) -> None:
    engine = load_engine(name)
    draw = lambda *seed: engine.numpy(engine.noise(distribution, (200, 500), seed))
    noise = draw(1, 2)
    assert noise.dtype == engine.dtype
    assert noise.mean() == pytest.approx(0, abs=0.02)
    assert noise.var() == pytest.approx(1, abs=0.02)
    fourth = {"normal": 3, "uniform": 9 / 5, "rademacher": 1}[distribution]
    assert (noise**4).mean() == pytest.approx(fourth, abs=0.1)
    np.testing.assert_array_equal(noise, draw(1, 2))
    for other in ((2, 1), (1, 3), (1,), (1, 2, 0), (1, -2)):
        assert abs(np.corrcoef(noise.ravel(), draw(*other).ravel())[0, 1]) < 0.02


def test_torch_results_are_free_of_autograd() -> None:
    """Even where inputs ask for gradients, and inside a caller's enable_grad."""
    program, arrays = step()
    engine = load_engine("torch")
    inputs = {key: engine.array(a, "int" if key == "label" else "float") for key, a in arrays.items()}
    inputs["a->b"].requires_grad_()
    with torch.enable_grad():
        results = engine.compile(program)(inputs)
    assert not any(result.requires_grad for result in results.values())


def test_torch_keeps_maps_channels_last_and_takes_any_layout() -> None:
    program, arrays = step()
    engine = load_engine("torch", dtype="float64")
    inputs = {key: engine.array(a, "int" if key == "label" else "float") for key, a in arrays.items()}
    results = engine.compile(program)(inputs)
    plain = engine.compile(program)({key: tensor.contiguous() for key, tensor in inputs.items()})
    maps = [tensor for tensor in (*inputs.values(), *results.values()) if tensor.ndim == 4]
    assert maps
    assert all(tensor.is_contiguous(memory_format=torch.channels_last) for tensor in maps)
    for key, result in results.items():
        close(engine.numpy(result), engine.numpy(plain[key]))
    assert engine.numpy(maps[0]).flags.c_contiguous


def test_torch_takes_read_only_arrays() -> None:
    array = np.ones((2, 2))
    array.flags.writeable = False
    close(load_engine("torch", dtype="float64").array(array).numpy(), array)


class Alive(TorchDispatchMode):
    """Counts the intermediate tensors that are alive at any one time."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[weakref.ref[torch.Tensor]] = []
        self.most = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.made.append(weakref.ref(result))
        self.most = max(self.most, sum(reference() is not None for reference in self.made))
        return result


def test_torch_frees_values_after_their_last_use() -> None:
    hand = Hand()
    value = hand.input("x", np.ones((2, 3)))
    for _ in range(10):
        value = hand.value("function", value, shape=(3,), name="tanh")
    engine = load_engine("torch")
    executable = engine.compile(hand.program(value))
    with Alive() as alive:
        executable({"x": engine.array(hand.arrays["x"])})
    assert len(alive.made) >= 10
    assert alive.most <= 3


def test_torch_shares_the_places_of_maxima() -> None:
    laid = Laid(geometry(Pool(kind="max", size=2), (1, 4, 4)), seed=0)
    code = load_engine("torch").compile(laid.hand.program(laid.project, laid.project_back)).module.code
    assert code.count("aten.max_pool2d_with_indices.default(") == 1


@pytest.mark.parametrize("wiring", [Conv(channels=2, kernel=3), Dense(size=2)], ids=["conv", "dense"])
def test_torch_adds_a_bias_inside_the_projection(wiring) -> None:
    laid = Laid(geometry(wiring, (2, 3, 3)), seed=0)
    bias = laid.hand.input("bias", np.array([1.0, -2.0]), batched=False)
    shape = laid.geometry.upper
    fused = laid.hand.value("offset", laid.project, bias, shape=shape)
    code = load_engine("torch").compile(laid.hand.program(fused)).module.code
    assert "torch.add" not in code
    kept = laid.project  # read twice: by the offset and as a result
    both = [laid.hand.value("offset", kept, bias, shape=shape), kept, fused]
    for found, expected in zip(laid.hand.run(*both, engine="torch"), laid.hand.run(*both), strict=True):
        close(found, expected)
