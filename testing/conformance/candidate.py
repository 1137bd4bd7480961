"""What is tested: one engine in one of its precisions, on one device; and how near it must come to the reference."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...circuits.declarations import Circuit, Consolidation
from ...engine.backends import Engine, EngineError, load_engine
from ...engine.compiler.compile import compile_circuit
from ...engine.simulator import Simulator

Array = NDArray[Any]


@dataclass(frozen=True)
class Tolerances:
    """Largest distances from the reference."""

    number: float
    """Of any number that one operation yields, over the largest of them."""
    state: float
    """Of any number of a state after some steps, over the largest of them (and at least over 1)."""
    step: float
    """Of all that a step changes, as one vector, over its length."""


TOLERANCES = {
    "float64": Tolerances(1e-11, 1e-9, 1e-9),
    # rounding of 6e-8 a number, enlarged by sums and by a few normalizations of small variance
    "float32": Tolerances(2e-5, 1e-3, 1e-4),
    # 11, 11 and 8 significant bits in products: a small net with normalization and maxima turns many of them over
    "tf32": Tolerances(5e-3, 0.1, 0.02),
    "float16": Tolerances(5e-3, 0.1, 0.05),
    "bfloat16": Tolerances(4e-2, 0.5, 0.2),
}
FINE = ("float64", "float32")
"""Formats in which whole runs are compared, number by number. The first that an engine has is its widest."""


@dataclass(frozen=True)
class Candidate:
    """One engine in one of its precisions."""

    engine: str
    dtype: str
    device: str = "cpu"

    def __str__(self) -> str:
        return f"{self.engine}-{self.dtype}"

    @property
    def tolerances(self) -> Tolerances:
        """Raises EngineError for a format of which the suite does not know what it can."""
        if self.dtype not in TOLERANCES:
            known = ", ".join(TOLERANCES)
            raise EngineError(f"the suite knows no tolerances for dtype '{self.dtype}' (known: {known})")
        return TOLERANCES[self.dtype]

    def load(self) -> Engine[Any]:
        return load_engine(self.engine, dtype=self.dtype, device=self.device)

    def simulate(self, circuit: Circuit, consolidation: Consolidation | None = None, **how: Any) -> Simulator:
        """The circuit on this engine. Whatever is drawn, weights and noise, is the same for every candidate."""
        made, reference = self.load(), REFERENCE.load()

        def noise(distribution: str, shape: tuple[int, ...], seed: tuple[int, ...]) -> Any:
            return made.array(reference.noise(distribution, shape, seed))

        made.noise = noise  # type: ignore[method-assign]
        compiled = compile_circuit(circuit, consolidation, how.pop("watch", ()))
        return Simulator(compiled, made, **how)


REFERENCE = Candidate("reference", "float64")


def widest(engine: str, device: str) -> Candidate:
    """The engine in the best of its formats."""
    dtypes = dtypes_of(engine, device)
    return Candidate(engine, next((dtype for dtype in FINE if dtype in dtypes), dtypes[0]), device)


def dtypes_of(engine: str, device: str) -> tuple[str, ...]:
    """The formats that an engine says it has on a device. Raises EngineError."""
    return load_engine(engine, device=device).dtypes_on(device)


# ---- comparing


def close(found: ArrayLike, expected: ArrayLike, tolerance: float = 1e-11, name: str = "") -> None:
    """Equal shapes, and equal numbers relative to the largest, which counts as 1 at least."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape, name
    size = float(np.abs(expected).max(initial=1.0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * size, err_msg=name)


def same_state(found: Simulator, expected: Simulator, tolerance: float) -> None:
    """Every state, number by number."""
    ours, theirs = found.state_dict(), expected.state_dict()
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        close(ours[name], value, tolerance, name)


def distance(found: dict[str, Array], expected: dict[str, Array]) -> float:
    """|found - expected| / |expected| of all entries as one vector."""
    apart = sum(float(((found[name] - expected[name]) ** 2).sum()) for name in expected)
    return float(np.sqrt(apart / sum(float((value**2).sum()) for value in expected.values())))
