"""How a system's synapses learn, read from the explicit circuit that its runs recorded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..run import Run

TIES = ("transpose_of", "sign_of", "same_as")


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How forward and feedback synapses learn: `mode: equation`, each once; what feedback weights are tied as.

    reverses: feedback runs back through reverse projections; direct: through others, straight from the output, or,
    where it sends a target, from what carries that.
    """

    forward: Sequence[str] = ()
    feedback: Sequence[str] = ()
    ties: Sequence[str] = ()
    reverses: bool = False
    direct: bool = False
    sends_target: bool = False


def learning(circuit: Mapping[str, Any], run: Run) -> Learning:
    """From the circuit where it can be read, else from what is said of the recorded weights."""
    projections = circuit.get("projections")
    told = [p for p in projections if isinstance(p, dict)] if isinstance(projections, list) else []
    if told:
        return _of_circuit(circuit, told)
    synapses = run.synapses.values()
    back = [synapse for synapse in synapses if synapse.role == "feedback"]
    return Learning(
        forward=_once(_equations(synapse.rules for synapse in synapses if synapse.role == "forward")),
        feedback=_once(_equations(synapse.rules for synapse in back)),
        ties=_once(synapse.tie.partition(" ")[0] for synapse in back if synapse.tie),
        reverses=any(synapse.reverse_of for synapse in back) or bool(run.alignment("matrix_angle")),
        direct=bool(back) and not any(synapse.reverse_of for synapse in back),
    )


def _of_circuit(circuit: Mapping[str, Any], projections: Sequence[dict[str, Any]]) -> Learning:
    populations = circuit.get("populations")
    named = populations.items() if isinstance(populations, dict) else ()
    feedback = {name for name, declared in named if isinstance(declared, dict) and "partner" in declared}
    back = [p for p in projections if str(p.get("to")) in feedback]
    reverses = any("reverse_of" in p for p in back)
    return Learning(
        forward=_once(_equations(p.get("rules") for p in projections if p not in back)),
        feedback=_once(_equations(p.get("rules") for p in back)),
        ties=_once(tie for p in back if isinstance(p.get("weights"), dict) for tie in TIES if tie in p["weights"]),
        reverses=reverses,
        direct=bool(back) and not reverses,
        sends_target=bool(back) and not any(str(p.get("from")) in feedback for p in back),
    )


def _equations(rules: Iterable[Any]) -> Iterator[str]:
    """`mode: equation`; a rule is an equation, or a mapping with one at `dw`."""
    for declared in rules:
        for mode, rule in declared.items() if isinstance(declared, Mapping) else ():
            yield f"{mode}: {rule.get('dw', '') if isinstance(rule, dict) else rule}"


def _once(words: Iterable[str]) -> Sequence[str]:
    return list(dict.fromkeys(words))
