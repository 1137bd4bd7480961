"""What the torch engine does beyond the contract of `Engine`, which the conformance suite tests on every engine."""

import weakref

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from counterstream.circuits.wiring import Conv, Dense, Pool
from counterstream.engine.backends import load_engine
from counterstream.engine.compiler.operations import OPERATIONS
from counterstream.testing.conformance.candidate import close
from counterstream.testing.conformance.cases import CASES
from counterstream.testing.conformance.programs import Hand, Laid
from counterstream.testing.conformance.step import step
from counterstream.testing.strategies.geometries import geometry


def test_every_operation_is_defined_implemented_and_tried() -> None:
    assert {case.operation for case in CASES.values()} == set(OPERATIONS)
    for name in ("reference", "torch"):
        assert load_engine(name).operations == set(OPERATIONS)


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
