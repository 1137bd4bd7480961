"""What every program would do on a GPU, as far as that shows without one: fake tensors have a device, a layout and a
format, and refuse calls whose operands lie on two devices."""

from collections.abc import Iterator
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import counterstream as cs
from counterstream.engine.backends.torch.engine import TorchEngine
from counterstream.engine.compiler.compile import CompiledCircuit, compile_circuit
from counterstream.engine.compiler.joining import joined
from counterstream.engine.compiler.program import Program
from counterstream.engine.data.images.finishing import Finishing
from counterstream.engine.data.images.reading import Pictures, Read
from counterstream.models.library import stock_learning

from ..nets import residual

SAMPLES = 4
GPU = torch.device("cuda")


def on_a_gpu(dtype: str, constants: torch.device = GPU) -> TorchEngine:
    engine = TorchEngine(dtype=dtype)
    engine._device = constants  # made in the ordinary way it looks for a GPU
    return engine


def programs(compiled: CompiledCircuit) -> Iterator[tuple[Program, frozenset[str]]]:
    """All that a run compiles: of one process, in place; of several, in two halves; and what only looks."""
    for turns in compiled.turns.values():
        for turn in turns:
            yield joined(turn, turn.observe.name), frozenset(compiled.states)
            yield turn.observe, frozenset()
            yield turn.consolidate, frozenset(compiled.states)
    for program in (compiled.predict, compiled.evaluate, compiled.alignment):
        yield program, frozenset()


def arrays(program: Program) -> dict[str, torch.Tensor]:
    """Inputs of a program, where a simulator would have them. Call it where tensors are fake."""
    found = {}
    for name, value in program.inputs.items():
        shape = (SAMPLES, *value.shape) if value.batched else value.shape
        layout = torch.channels_last if len(shape) == 4 else torch.contiguous_format
        dtype = torch.int64 if value["dtype"] == "int" else torch.float32
        found[name] = torch.empty(shape, dtype=dtype, device=GPU, memory_format=layout)
    return found


def results(engine: TorchEngine, program: Program, donated: frozenset[str]) -> dict[str, torch.Tensor]:
    executable = engine.lower(program, donated & program.inputs.keys())
    executable._settings = nullcontext  # of CUDA's own
    with FakeTensorMode():
        return executable(arrays(program))


@pytest.mark.parametrize(
    ("system", "dtype"), [*((system, "bfloat16") for system in stock_learning()), ("weight_mirror", "float32")]
)
def test_every_call_stays_on_the_device(system: str, dtype: str) -> None:
    compiled = compile_circuit(residual(learning=system), cs.Consolidation(rate=0.1, momentum=0.9))
    engine = on_a_gpu(dtype)
    for program, donated in programs(compiled):
        for name, result in results(engine, program, donated).items():
            assert result.device.type == "cuda", (program.name, name)


def test_smoothed_targets_too() -> None:
    compiled = compile_circuit(residual(), soft_targets=True)
    for program, donated in programs(compiled):
        assert results(on_a_gpu("bfloat16"), program, donated)


def test_a_constant_that_was_left_behind_is_noticed() -> None:
    compiled = compile_circuit(residual(learning="weight_mirror"))
    with pytest.raises(RuntimeError, match="on cpu, different from other tensors on cuda"):
        results(on_a_gpu("float32", torch.device("cpu")), compiled.modes["mirror"].observe, frozenset())


@pytest.mark.parametrize("mixed", [False, True])
def test_images_are_finished_on_the_device(monkeypatch: pytest.MonkeyPatch, mixed: bool) -> None:
    monkeypatch.setattr(Finishing, "_labels", lambda *_: np.arange(SAMPLES))  # on the CPU
    finishing = Finishing(
        device=GPU, mean=(0.5,) * 3, deviation=(0.2,) * 3, labels=np.arange(10), classes=10, smoothing=0.1
    )
    pictures = Pictures(
        torch.zeros((SAMPLES, 8, 8, 3), dtype=torch.uint8),
        torch.zeros(SAMPLES, dtype=torch.bool),
        torch.arange(SAMPLES),
    )
    read = Read(pictures, pictures if mixed else None, torch.ones(SAMPLES) if mixed else None, [])
    with FakeTensorMode(allow_non_fake_inputs=True):
        batch = finishing(read)
    assert {batch.images.device.type, batch.target.device.type} == {"cuda"}
    assert batch.images.shape == (SAMPLES, 3, 8, 8)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
