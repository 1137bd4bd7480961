"""Whether a learning system and its overrides, projection by projection, can stand in one circuit."""

import re
from collections.abc import Iterable, Iterator

from .declarations import Circuit, LearningSystem, Projection, Rule
from .errors import Problem, Problems, suggest
from .yamlfile import Document, Path_

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_overrides(circuit: Circuit, system: LearningSystem, document: Document) -> None:
    """Raise CircuitError where the learning systems of one circuit contradict each other."""
    problems = Problems(_by_hand(circuit, document))
    for index, projection in enumerate(circuit.projections):
        own, path = projection.learning, ("projections", index)
        if isinstance(own, str):
            problems.add(document.problem(f"learning '{own}' is a name: give the system itself", (*path, "learning")))
        elif own is not None:
            problems.extend(document.problem(message, path) for message in _against(own, system))
    problems.stop()


def check_parameters(circuit: Circuit, system: LearningSystem, document: Document) -> None:
    """Raise CircuitError for parameters that no rule reads: in a file, they are slips of the pen."""
    problems = Problems(_unread(circuit, system, document))
    for index, projection in enumerate(circuit.projections):
        own = projection.learning if isinstance(projection.learning, LearningSystem) else system
        problems.extend(_unread_by(projection, own, document, ("projections", index)))
    problems.stop()


def _by_hand(circuit: Circuit, document: Document) -> Iterator[Problem]:
    feedback = [("populations", name) for name, population in circuit.populations.items() if population.is_feedback]
    places: list[Path_] = [(key,) for key in ("cross", "modes") if getattr(circuit, key)]
    for path in [*feedback, *places][:1]:
        yield document.problem(
            "a circuit has a learning system or declares feedback populations, cross and modes by hand, not both", path
        )


def _against(own: LearningSystem, system: LearningSystem) -> Iterator[str]:
    """What an override and the circuit's system disagree in, though a circuit can have only one."""
    ours, theirs = own.feedback.pathway, system.feedback.pathway
    if ours not in (theirs, "none") and (ours, theirs) != ("reciprocal", "none"):
        yield f"one circuit has one pathway: '{own.name}' needs {ours}, '{system.name}' has {theirs}"
    for name, mode in own.modes.items():
        if name in system.modes and mode.mode() != system.modes[name].mode():
            yield f"one circuit has one mode '{name}': '{own.name}' and '{system.name}' differ in more than its rules"
    for name, modulator in own.modulators.items():
        if modulator != system.modulators.get(name, modulator):
            yield f"one circuit has one modulator '{name}': '{own.name}' and '{system.name}' differ in it"


def _unread(circuit: Circuit, system: LearningSystem, document: Document) -> Iterator[Problem]:
    """Parameters of the circuit that no rule names."""
    systems = [system, *(p.learning for p in circuit.projections if isinstance(p.learning, LearningSystem))]
    own = [rule for projection in circuit.projections for rule in projection.rules.values()]
    for population in circuit.populations.values():
        own += [rule for rules in population.rules.values() for rule in (rules.gain, rules.bias) if rule]
    known = _words(own).union(*map(_names, systems))
    declared = sorted({name for each in systems for name in each.parameters})
    for name in circuit.parameters:
        if name not in known:
            hint = suggest(name, declared, "parameters")
            yield document.problem(f"no rule reads the parameter '{name}'. {hint}", ("parameters", name))


def _unread_by(projection: Projection, system: LearningSystem, document: Document, path: Path_) -> Iterator[Problem]:
    """Parameters of a projection that none of its rules names."""
    known = _names(system) | _words(projection.rules.values())
    for name in projection.parameters:
        if name not in known:
            hint = suggest(name, system.parameters, "parameters")
            yield document.problem(
                f"no rule of '{projection.label}' reads the parameter '{name}'. {hint}", (*path, "parameters", name)
            )


def _names(system: LearningSystem) -> set[str]:
    """The words of a system's rules, and the parameters that it declares."""
    rules = [rule for m in system.modes.values() for rule in (m.forward, m.feedback, m.gain, m.bias) if rule]
    return _words(rules) | set(system.parameters)


def _words(rules: Iterable[Rule]) -> set[str]:
    return {word for rule in rules for word in _WORD.findall(rule.dw)}
