"""Number formats of the torch engines: how far each may be from float64, and what lies in which."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch

import counterstream as cs
from counterstream.engine.backends import EngineError, load_engine
from counterstream.engine.backends.torch.precision import products_in_tf32
from counterstream.models.exchange import to_torch

from ..nets import SYSTEMS, Array, learned, residual, residual_batch, simulate

# Largest distance from float64: of a step's drives (all of them, as one vector, over its length), and of the loss in
# any of 10 steps (over the first loss). bfloat16 has 8 significant bits, and a small net with normalization and
# maxima turns many of them over: PyTorch's autocast is exactly as far off (see below). TF32 rounds operands to 11.
TOLERANCES = {"float32": (1e-5, 1e-5), "bfloat16": (0.2, 0.05), "tf32": (0.02, 0.01)}
SAMPLES = 16
DROPPING = """
name: dropping
populations: {x: {input: [4]}, h: {transfer: relu, dropout: 0.25}, y: {transfer: softmax}}
projections:
  - {from: x, to: h, wiring: {dense: {size: 64}}}
  - {from: h, to: y, wiring: {dense: {size: 3}}}
"""
BARE = cs.Consolidation(rate=1.0)


def drawn(circuit: cs.Circuit) -> dict[str, Array]:
    """An initial state that every precision can start from."""
    state = simulate(circuit, consolidation=BARE).state_dict()
    return {name: value for name, value in state.items() if not name.startswith("steps")}


def distance(found: Mapping[str, Array], expected: Mapping[str, Array]) -> float:
    """|found - expected| / |expected| of all entries as one vector."""
    apart = sum(float(((found[name] - expected[name]) ** 2).sum()) for name in expected)
    return float(np.sqrt(apart / sum(float((value**2).sum()) for value in expected.values())))


def synaptic(steps: Mapping[str, Array]) -> dict[str, Array]:
    return {name: value for name, value in steps.items() if name.startswith(("weights", "gain", "bias"))}


def check_accuracy(system: str, **how: str) -> None:
    circuit, (drives, losses) = residual(learning=system), TOLERANCES[how["dtype"]]
    state, batch = drawn(circuit), residual_batch(samples=SAMPLES)
    exact, found = (
        synaptic(learned(simulate(circuit, consolidation=BARE, state=state, **each), *batch))
        for each in ({"dtype": "float64"}, how)
    )
    assert distance(found, exact) < drives
    learning = cs.Consolidation(rate=0.02)
    oracle, sim = (
        simulate(circuit, consolidation=learning, state=state, **each) for each in ({"dtype": "float64"}, how)
    )
    for seed in range(10):
        batch = residual_batch(seed=seed, samples=SAMPLES)
        expected, loss = oracle.step(*batch)["loss"], sim.step(*batch)["loss"]
        assert loss == pytest.approx(expected, abs=losses * 1.7)  # 1.7: the first loss


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_accuracy(system: str, dtype: str) -> None:
    check_accuracy(system, dtype=dtype)


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_accuracy_compiled(system: str, dtype: str) -> None:
    check_accuracy(system, dtype=dtype, engine="inductor")


@pytest.mark.gpu
@pytest.mark.parametrize("engine", ["torch", "inductor"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "tf32"])
def test_accuracy_on_cuda(dtype: str, engine: str) -> None:
    check_accuracy("kolen_pollack", dtype=dtype, engine=engine, device="cuda")


@pytest.mark.parametrize("seed", range(3))
def test_bfloat16_is_autocast(seed: int) -> None:
    """Backprop in bfloat16 gives the gradients of the same module under torch.autocast, to the last bit or two: they
    are 0.4 to 0.7 from float64's, tensor by tensor, at worst."""
    circuit = residual()
    how = {"dtype": "bfloat16", "consolidation": BARE, "state": drawn(circuit)}
    images, labels = residual_batch(seed=seed, samples=SAMPLES)
    sim = simulate(circuit, **how)
    module = to_torch(sim)
    step = learned(sim, images, labels)
    with torch.autocast("cpu", torch.bfloat16):
        answer = module(torch.tensor(images, dtype=torch.float32))
    torch.nn.functional.cross_entropy(answer.float(), torch.tensor(labels)).backward()
    # The two order their tensors differently, and no two of one size have the same sum.
    gradients = sorted((-p.grad.numpy().ravel() for p in module.parameters()), key=lambda g: (g.size, np.abs(g).sum()))
    drives = sorted((d.ravel() for d in synaptic(step).values()), key=lambda d: (d.size, np.abs(d).sum()))
    assert [g.size for g in gradients] == [d.size for d in drives]
    for gradient, drive in zip(gradients, drives, strict=True):
        assert np.linalg.norm(drive - gradient) <= 0.02 * np.linalg.norm(gradient) + 1e-6


def test_what_lies_in_which_format() -> None:
    watch = ("hidden1.rate", "hidden1~.rate", "answer.rate")
    how = {"dtype": "bfloat16", "watch": watch, "consolidation": cs.Consolidation(momentum=0.9)}
    sim = simulate(residual(learning="kolen_pollack"), **how)
    sim.step(*residual_batch(samples=SAMPLES))
    assert {value.dtype for value in sim._live.arrays.values()} == {torch.float32}
    assert {sim._last.watched[f"watch/{name}"].dtype for name in watch} == {torch.bfloat16}
    assert {value.dtype.name for value in sim.state_dict().values()} == {"float32", "int64"}
    assert {sim.read(name).dtype.name for name in (*watch, "hidden2.rate")} == {"float32"}
    assert sim.predict(residual_batch()[0]).dtype.name == "float32"


def test_each_weight_is_copied_once() -> None:
    """Backprop reads most weights twice, forward and back: from one copy in bfloat16."""
    sim = simulate(residual(), dtype="bfloat16", in_place=True)
    sim.step(*residual_batch())
    graph = sim._stepper("engaged")._observe.module.graph
    copied = [
        str(node.args[0])
        for node in graph.nodes
        if node.kwargs.get("dtype") == torch.bfloat16 and "weights" in str(node.args[0])
    ]
    weights = [name for name in sim.compiled.states if name.startswith("weights")]
    assert len(copied) == len(set(copied)) == len(weights)


def test_dropout_is_decided_in_full_precision() -> None:
    circuit = cs.loads(DROPPING, learning="backprop")
    images, labels = np.ones((256, 4)), np.zeros(256, int)
    dropped = []
    for dtype in ("float32", "bfloat16"):
        sim = simulate(circuit, dtype=dtype, watch=("h.rate", "h.soma"))
        sim.step(images, labels)
        dropped.append((sim.read("h.rate") == 0) & (sim.read("h.soma") > 0.01))
    assert dropped[0].any()
    assert (dropped[0] == dropped[1]).all()


# ---- TF32


def test_tf32_is_a_cuda_format() -> None:
    with pytest.raises(EngineError, match=r"'torch': dtype 'tf32' must be on a CUDA device .*Use dtype='float32'"):
        load_engine("torch", dtype="tf32")


def settings() -> tuple[str, str]:
    return torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision


@pytest.mark.parametrize("before", [("none", "tf32"), ("ieee", "ieee"), ("tf32", "tf32"), ("tf32", "none")])
@pytest.mark.parametrize("wanted", [True, False])
def test_settings_of_the_process_come_back(wanted: bool, before: tuple[str, str]) -> None:
    ours = settings()
    try:
        torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision = before
        with products_in_tf32(wanted):
            assert [name == "tf32" for name in settings()] == [wanted, wanted]
        assert settings() == before
    finally:
        torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision = ours
