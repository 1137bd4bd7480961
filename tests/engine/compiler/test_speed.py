"""The front end is fast: what it does grows with the circuit, not with its square. Figures: benchmarks/front_end.py."""

import time

import pytest

import counterstream as cs
from counterstream.engine.compiler.compile import compile_circuit


@pytest.mark.parametrize(("name", "limit"), [("resnet50", 1.0), ("resnet152", 3.0)])
def test_from_a_name_to_programs(name: str, limit: float) -> None:
    """Load, check, expand and compile, in seconds of this process, whatever else the machine does."""
    start = time.process_time()
    circuit = cs.load(name, learning="weight_mirror")
    cs.check(circuit)
    compiled = compile_circuit(circuit)
    assert compiled.predict.results
    assert time.process_time() - start < limit
