"""What is tested: a learning system with its rules, one rule, or a function."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..circuits.declarations import Circuit, Claims, LearningSystem, Mode
from ..circuits.errors import CircuitError, Location, suggest
from ..circuits.expansion import expand
from ..circuits.graph import Graph, build_graph
from ..circuits.plasticity import Plasticity, mode_constants, read_plasticity
from ..circuits.rules import reads, to_text
from ..circuits.validation import build
from ..circuits.writing import as_data
from ..circuits.yamlfile import Document, read_file
from ..engine.backends.base import Engine
from ..engine.backends.registry import load_engine
from ..models.library import SUFFIXES, learning_document, load_document
from .synapses import Declared, Synapses, Written

Rule = str | Path | LearningSystem | Callable[..., Any]
"""What may be tested: a learning system (stock name, path, declaration), an equation, a function dw(pre, post, w)."""

_MODULATOR = re.compile(r"\bmod\.(\w+)")
_ALONE = {"dw", "positions", "consolidation"}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A rule or a learning system on the bench."""

    name: str
    synapses: tuple[Synapses, ...]
    claims: Claims = field(default_factory=Claims)
    system: LearningSystem | None = None
    document: Document = field(default_factory=lambda: Document({}))
    """Where the system was written."""
    engine: str = "reference"

    def chosen(self, names: Collection[str] | None, claim: str) -> tuple[Synapses, ...]:
        """The rules of these names, or all. Raises CircuitError for a name that none has."""
        known = [rule.name for rule in self.synapses]
        wrong = [
            self.document.problem(
                f"unknown rule '{name}'. {suggest(name, known, 'rules')}", ("claims", claim, "rules", index)
            )
            for index, name in enumerate(names or ())
            if name not in known
        ]
        if wrong:
            raise CircuitError(wrong)
        return tuple(rule for rule in self.synapses if names is None or rule.name in names)

    def with_parameters(self, parameters: Mapping[str, float], claim: str) -> "Subject":
        """The same with other parameters of its rules. Raises CircuitError for one that it does not have."""
        if not parameters:
            return self
        known = self.system.parameters if self.system else {}
        wrong = [
            self.document.problem(
                f"unknown parameter '{name}'. {suggest(name, known, 'parameters')}",
                ("claims", claim, "parameters", name),
            )
            for name in parameters
            if name not in known
        ]
        if wrong or self.system is None:
            raise CircuitError(wrong)
        system = self.system.model_copy(update={"parameters": {**known, **parameters}})
        return subject_of(system, engine=self.engine, document=self.document)


def subject_of(
    rule: Rule,
    *,
    engine: str = "reference",
    reads: Collection[str] = ("pre.rate", "post.rate", "w"),
    document: Document | None = None,
) -> Subject:
    """What is to be tested, ready for it.

    `reads` is for functions alone: what they ask of `pre` and `post`. Raises CircuitError for a rule or a system that
    does not hold together, EngineError for an engine that cannot be had.
    """
    if callable(rule):
        equation = f"{rule.__name__}(pre, post, w)"
        written = Written(name=rule.__name__, equation=equation, reads=frozenset(reads), function=rule)
        return Subject(name=rule.__name__, synapses=(written,), engine=engine)
    document = document or _document(rule)
    system = rule if isinstance(rule, LearningSystem) else build(LearningSystem, document)
    circuit = load_document(Document(_bench(system), "bench"), learning=_under(system, document))
    synapses = tuple(_rules(circuit, open_engine(engine)))
    if not synapses:
        raise CircuitError(document.problem("no projection learns: there is no rule to test", ("modes",)))
    return Subject(
        name=system.name, synapses=synapses, claims=system.claims, system=system, document=document, engine=engine
    )


@cache  # finding installed engines reads the files of all installed packages
def open_engine(name: str) -> Engine[Any]:
    """The engine in the widest number format that it has."""
    engine = load_engine(name)
    return load_engine(name, dtype="float64") if "float64" in engine.dtypes else engine


def modulators_of(system: LearningSystem) -> list[str]:
    """The global modulators that its rules name and that somebody else has to declare, and to give at every step."""
    own = {name for name, modulator in system.modulators.items() if modulator.of is not None}
    rules = (rule for mode in system.modes.values() for rule in (mode.forward, mode.feedback, mode.gain, mode.bias))
    return sorted({name for rule in rules if rule is not None for name in _MODULATOR.findall(rule.dw)} - own)


def _under(system: LearningSystem, document: Document) -> Document:
    """The document of the system: its own, unless parameters were replaced."""
    data = as_data(system)
    return Document(data, document.file, origins={(): (document, ())})


def _bench(system: LearningSystem) -> dict[str, Any]:
    """A circuit that has every kind of projection that a system writes rules for."""
    plain = {"transfer": "linear", "bias": False}
    return {
        "name": "bench",
        "populations": {
            "image": {"input": [2]},
            "h1": plain,
            "h2": plain,
            "out": {"loss": "squared", "bias": False},
        },
        "projections": [
            {"from": source, "to": target, "wiring": {"dense": {"size": 2}}}
            for source, target in (("image", "h1"), ("h1", "h2"), ("h2", "out"))
        ],
        "modulators": {name: {"per": "sample"} for name in modulators_of(system)},
    }


def _rules(circuit: Circuit, engine: Engine[Any]) -> Iterator[Synapses]:
    """Each rule of synapses once, by mode and direction, of a projection between hidden populations where it has one
    there: both of its ends have partners.
    """
    graph = build_graph(expand(circuit))
    found: dict[str, Plasticity] = {}
    for plasticity in read_plasticity(graph):
        if plasticity.kind == "weights":
            way = "feedback" if graph.is_feedback(plasticity.subject) else "forward"
            name = f"{plasticity.mode}.{way}"
            if name not in found or plasticity.subject.removesuffix("~") == "h1->h2":
                found[name] = plasticity
    for name, plasticity in found.items():
        yield _declared(name, plasticity, graph, engine)


def _declared(name: str, plasticity: Plasticity, graph: Graph, engine: Engine[Any]) -> Declared:
    label = plasticity.subject
    mode, projection = graph.circuit.modes[plasticity.mode], graph.projections[label]
    return Declared(
        name=name,
        equation=to_text(plasticity.expression),
        reads=frozenset(map(str, reads(plasticity.expression))),
        adds=plasticity.consolidation == "addition",
        answers=_answers(mode, feedback=graph.is_feedback(label)),
        graph=graph,
        plasticity=plasticity,
        reverse=projection.reverse_of is not None,
        parameters={**graph.circuit.parameters, **mode_constants(graph, label, mode), **projection.parameters},
        engine=engine,
    )


def _answers(mode: Mode, *, feedback: bool) -> frozenset[str]:
    """What of a post neuron answers to what it receives through its synapses."""
    if mode.errs or not feedback:
        return frozenset({"soma", "rate"})
    return frozenset() if mode.isolates else frozenset({"soma"})


# ---- one rule alone


def _document(rule: str | Path | LearningSystem) -> Document:
    """What the declaration of a learning system says; an equation, or a file that holds only a rule, becomes one."""
    if isinstance(rule, LearningSystem):
        return Document(as_data(rule), rule.name)
    if isinstance(rule, str) and not rule.isidentifier() and Path(rule).suffix not in SUFFIXES:
        return _around(Document({"dw": rule}, "rule"))
    document = _stock(rule) if Path(rule).suffix not in SUFFIXES else read_file(rule)
    if isinstance(document.data, str):
        return _around(Document({"dw": document.data}, document.file, origins={("dw",): (document, ())}))
    return _around(document) if isinstance(document.data, Mapping) and "dw" in document.data else document


def _stock(rule: str | Path) -> Document:
    """What a stock learning system declares. Raises CircuitError."""
    try:
        return learning_document(rule)
    except CircuitError as error:  # a name that nobody has, in no file
        raise error.located(Location("rule")) from None


def _around(document: Document) -> Document:
    """A learning system whose forward synapses learn by the one rule that a document holds."""
    whole: Mapping[str, Any] = document.data
    rule = {key: value for key, value in whole.items() if key in _ALONE}
    rest = {key: value for key, value in whole.items() if key not in _ALONE}
    pathway = "reciprocal" if "apical" in str(rule["dw"]) else "none"
    data = {
        "name": Path(document.file).stem,
        "feedback": {"pathway": pathway},
        **rest,
        "modes": {"engaged": {"forward": rule}},
    }
    origins: dict[tuple[str | int, ...], tuple[Document, tuple[str | int, ...]]] = {(): (document, ())}
    forward = ("modes", "engaged", "forward")
    origins[forward] = (document, ("dw",))
    for key in rule:
        origins[*forward, key] = document, (key,)
    return Document(data, document.file, origins=origins)
