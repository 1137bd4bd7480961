"""What a benchmark compares: one network at one batch, size and number format, and who steps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..circuits.declarations import Circuit
from ..circuits.errors import CounterstreamError, suggest
from ..circuits.expansion import expand
from ..models.library import load

AGAINST = ("autograd", "compiled", "biotorch")
"""Plain PyTorch: autograd and torch.optim.SGD, eager or through torch.compile; and BioTorch's feedback alignment."""


class BenchError(CounterstreamError):
    """A benchmark that cannot be carried out as it was asked for."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a process needs to build any of the contenders. Plain data: it travels as JSON."""

    circuit: str
    options: Mapping[str, Any] = field(default_factory=dict)
    learning: tuple[str, ...]
    engines: tuple[str, ...]
    against: tuple[str, ...]
    batch: int
    steps: int
    """Alternations: each contender's number of timed steps."""
    dtype: str
    device: str

    @property
    def contenders(self) -> tuple[str, ...]:
        """Names: those of `against`, then SYSTEM/ENGINE for each of ours."""
        ours = (f"{system}/{engine}" for engine in self.engines for system in self.learning)
        return (*self.against, *ours)

    def baseline(self, contender: str) -> str | None:
        """Against whom a contender is measured: compiled against compiled, all else against eager autograd."""
        is_compiled = contender.endswith("/inductor")
        for name in ("compiled", "autograd") if is_compiled else ("autograd", "compiled"):
            if name in self.against:
                return None if name == contender else name
        return None

    def load(self, learning: str) -> Circuit:
        """The circuit under one learning system."""
        return load(self.circuit, learning=learning, options=self.options)


def plan(
    circuit: str,
    *,
    learning: Sequence[str],
    engines: Sequence[str] = ("torch",),
    against: Sequence[str] | None = None,
    batch: int = 32,
    size: int | None = None,
    options: Mapping[str, Any] | None = None,
    steps: int = 10,
    dtype: str = "float32",
    device: str = "cpu",
) -> Plan:
    """A plan that can be carried out as far as can be told beforehand.

    `size`: side of square images, the circuit's option `size`; by default the circuit's own. `against`: by default
    eager autograd, and the compiled one too where one of our engines compiles. Raises BenchError or CircuitError.
    """
    if against is None:
        against = ("autograd", "compiled") if "inductor" in engines else ("autograd",)
    for name in against:
        if name not in AGAINST:
            raise BenchError(f"unknown contender '{name}'. {suggest(name, AGAINST, 'contenders')}")
    if not learning or not engines:
        raise BenchError("a benchmark needs at least one learning system and one engine")
    said = dict(options or {})
    if size is not None:
        said["size"] = [input_shape(load(circuit, learning=learning[0], options=said))[0], size, size]
    made = Plan(
        circuit=circuit,
        options=said,
        learning=tuple(dict.fromkeys(learning)),
        engines=tuple(dict.fromkeys(engines)),
        against=tuple(dict.fromkeys(against)),
        batch=batch,
        steps=steps,
        dtype=dtype,
        device=device,
    )
    for system in made.learning:
        output_size(made.load(system))
    return made


def input_shape(circuit: Circuit) -> tuple[int, ...]:
    """The shape of the one input. Raises BenchError where there are several or none."""
    shapes = [population.input for population in circuit.populations.values() if population.input is not None]
    if len(shapes) != 1:
        raise BenchError(f"a benchmark needs a circuit with one input ('{circuit.name}' has {len(shapes)})")
    return tuple(shapes[0])


def output_size(circuit: Circuit) -> int:
    """The number of classes. Raises BenchError unless the one output is trained on classes by cross-entropy."""
    input_shape(circuit)
    outputs = {
        name: population
        for name, population in expand(circuit).populations.items()
        if population.output_loss is not None
    }
    if [population.output_loss for population in outputs.values()] != ["cross_entropy"]:
        found = ", ".join(f"'{name}' with {one.output_loss}" for name, one in outputs.items()) or "none"
        raise BenchError(f"a benchmark needs a circuit with one cross-entropy output (got {found})")
    (output,) = outputs.values()
    assert output.shape is not None
    return output.shape[0]
