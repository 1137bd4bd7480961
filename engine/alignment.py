"""How feedback stands to feedforward at one instant: what `Simulator.alignment` measures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..circuits.graph import Graph
from .compiler.alignment import mirrored_pairs


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """Angles in degrees, NaN where a vector is 0.

    By projection, for those whose reverse has weights: `matrix_angles`, between W and B over the synapses that exist,
    and `norm_ratios`, |B| / |W|. By population: `delta_angles`, between the circuit's delta and that of exact backprop
    all the way down, and `local_angles`, between the circuit's error at the population's rate and the one that W in
    place of B would bring there, given the circuit's deltas above.
    """

    matrix_angles: Mapping[str, float]
    norm_ratios: Mapping[str, float]
    delta_angles: Mapping[str, float]
    local_angles: Mapping[str, float]

    @classmethod
    def of(cls, results: Mapping[str, Any], graph: Graph) -> "Alignment":
        """From the results of `alignment_program`."""
        found: dict[str, dict[str, float]] = {}
        for name, value in results.items():
            kind, _, subject = name.partition("/")
            found.setdefault(kind, {})[subject] = float(value)
        norms = found.get("norm", {})
        return cls(
            matrix_angles=found.get("matrix_angle", {}),
            norm_ratios={
                label: norms[reverse] / norms[label] if norms[label] else float("nan")
                for label, reverse in mirrored_pairs(graph).items()
            },
            delta_angles=found.get("delta_angle", {}),
            local_angles=found.get("local_angle", {}),
        )
