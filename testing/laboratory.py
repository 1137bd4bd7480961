"""Trying a rule's properties: those that it claims, those that are asked for, or all."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ..circuits.declarations import Claim, ClaimOfRules
from ..circuits.errors import CircuitError, suggest
from ..circuits.validation import build
from ..circuits.yamlfile import Document
from .counterexample import Counterexample
from .outcome import Outcome
from .properties import PROPERTIES, Property
from .requirements import LaboratoryError
from .search import smallest
from .subject import Rule, Subject, subject_of

EXAMPLES = 100
Report = Callable[[str, str], None]
"""Is told the property and the rule that are tried next."""


def try_rule(
    rule: Rule | Subject,
    properties: Collection[str] | None = None,
    *,
    engine: str = "reference",
    examples: int = EXAMPLES,
    seed: int = 0,
    reads: Collection[str] = ("pre.rate", "post.rate", "w"),
) -> list[Outcome]:
    """The verdicts on the properties of these names; by default on those that the system claims, or if it claims none,
    on all.

    `rule` is a learning system (stock name, path, declaration), an equation, or a function dw(pre, post, w) that reads
    `reads`. `examples` are looked at a property and rule (fewer where one takes long); the same `seed` draws the same.
    Raises CounterstreamError for what cannot be tried.
    """
    subject = rule if isinstance(rule, Subject) else subject_of(rule, engine=engine, reads=reads)
    return list(trials(subject, properties, examples=examples, seed=seed))


def try_property(
    rule: Rule | Subject,
    name: str,
    *,
    engine: str = "reference",
    examples: int = EXAMPLES,
    seed: int = 0,
    reads: Collection[str] = ("pre.rate", "post.rate", "w"),
    **said: Any,
) -> Outcome:
    """The verdict on one property. `said` is what a claim of it may say (tolerance=1e-6), in place of the system's own
    claim. Raises CounterstreamError for what cannot be tried.
    """
    subject = rule if isinstance(rule, Subject) else subject_of(rule, engine=engine, reads=reads)
    known = _known(name)
    claim = build(known.claim, Document(said, f"{name}(...)")) if said else None
    return _tried(subject, known, claim or _claim(subject, known), examples, seed, None)


def assert_property(rule: Rule | Subject, name: str, **how: Any) -> None:
    """Raise AssertionError, with the smallest counterexample, unless the property holds. Takes what `try_property`
    takes. A property that does not apply does not hold.
    """
    outcome = try_property(rule, name, **how)
    if outcome.verdict != "holds":
        raise AssertionError(_told(outcome))  # as it is: pytest rewrites what an `assert` says


def assert_claims(rule: Rule | Subject, **how: Any) -> None:
    """Raise AssertionError, with the smallest counterexamples, unless all that the system claims holds. Takes what
    `try_rule` takes. Raises LaboratoryError for a system without claims.
    """
    subject = rule if isinstance(rule, Subject) else subject_of(rule, engine=how.get("engine", "reference"))
    if not any(subject.claims.named()):
        raise LaboratoryError(f"{subject.name} claims nothing: there is nothing to assert")
    failed = [_told(outcome) for outcome in try_rule(subject, **how) if outcome.verdict != "holds"]
    if failed:
        raise AssertionError("\n".join(failed))


def trials(
    subject: Subject,
    properties: Collection[str] | None = None,
    *,
    examples: int = EXAMPLES,
    seed: int = 0,
    report: Report | None = None,
) -> Iterator[Outcome]:
    """One verdict after the other, as in `try_rule`."""
    for name in chosen(subject, properties):
        yield _tried(subject, PROPERTIES[name], _claim(subject, PROPERTIES[name]), examples, seed, report)


def chosen(subject: Subject, properties: Collection[str] | None) -> list[str]:
    """The properties of these names, or all that is claimed, or if nothing is, all. Raises LaboratoryError."""
    if properties is not None:
        if not properties:
            raise LaboratoryError(f"at least one property must be named. {suggest('', PROPERTIES, 'properties')}")
        return [_known(name).name for name in properties]
    return [name for name, _ in subject.claims.named()] or list(PROPERTIES)


def reproduced(subject: Subject, text: str) -> Outcome:
    """The verdict on the one example that an outcome's `reproduce` holds. Raises LaboratoryError for any other text."""
    try:
        whole = json.loads(text)
        known, where = _known(str(whole["property"])), str(whole["rule"])
        example = TypeAdapter(known.example).validate_python(whole["example"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise LaboratoryError(
            f"--reproduce takes what a failure printed: JSON with property, rule, example ({error})"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise LaboratoryError(f"the example of {known.name} does not fit: {place}: {first['msg']}") from None
    claim = _claim(subject, known)
    varied = subject.with_parameters(claim.parameters, known.name)
    targets = dict(_targets(varied, known, claim))
    if where not in targets:
        raise LaboratoryError(f"unknown rule '{where}'. {suggest(where, targets, 'rules')}")
    if why := known.misfit(targets[where], claim):
        return _outcome(subject, known, "does not apply", why=why)
    try:
        found = _checked(known, targets[where], example, claim)
    except (LookupError, ValueError) as error:  # numbers that somebody wrote
        raise LaboratoryError(f"the example of {known.name} does not fit: {error}") from None
    return _outcome(
        subject,
        known,
        "fails" if found else "holds",
        tested=(where,),
        examples=1,
        counterexample=found,
        reproduce=text if found else "",
    )


def _tried(subject: Subject, known: Property, claim: Claim, examples: int, seed: int, report: Report | None) -> Outcome:
    try:
        return _trial(subject, known, claim, examples, seed, report)
    except CircuitError as error:  # a rule or an expression of the claim that cannot be read
        path = ("claims", known.name)
        raise error.located(subject.document.location(path), f"claims.{known.name}") from None


def _trial(subject: Subject, known: Property, claim: Claim, examples: int, seed: int, report: Report | None) -> Outcome:
    varied = subject.with_parameters(claim.parameters, known.name)
    tested: list[str] = []
    misfits: dict[str, str] = {}
    remarks: dict[str, None] = {}  # each once, in order
    asked = max(1, examples // known.share)
    for name, target in _targets(varied, known, claim):
        if why := known.misfit(target, claim):
            misfits[name] = why
            continue
        tested.append(name)
        remarks[known.remark(target, claim)] = None
        if report is not None:
            report(known.name, name)
        found = _smallest(known, target, claim, asked, seed, name)
        if found is not None:
            example, counterexample = found
            again = {"property": known.name, "rule": name, "example": _plain(known, example)}
            return _outcome(
                subject,
                known,
                "fails",
                tested=tuple(tested),
                examples=asked,
                counterexample=counterexample,
                reproduce=json.dumps(again),
            )
    if not tested:
        return _outcome(subject, known, "does not apply", why=_because(misfits, alone=True))
    return _outcome(
        subject,
        known,
        "holds",
        tested=tuple(tested),
        examples=asked,
        why="; ".join(filter(None, (*remarks, _because(misfits)))),
    )


def _smallest(
    known: Property, target: Any, claim: Claim, examples: int, seed: int, name: str
) -> tuple[Any, Counterexample] | None:
    return smallest(
        lambda size: known.draw(target, claim, size),
        lambda example: _checked(known, target, example, claim),
        examples=examples,
        number=seed,
        name=name,
    )


def _checked(known: Property, target: Any, example: Any, claim: Claim) -> Counterexample | None:
    with np.errstate(all="ignore"):  # what grows without bound is what some properties are about
        return known.check(target, example, claim)


def _targets(subject: Subject, known: Property, claim: Claim) -> Sequence[tuple[str, Any]]:
    """What the property is tried on, by name: the rules, or the whole."""
    if known.of == "system":
        return [(subject.name, subject)]
    names = claim.rules if isinstance(claim, ClaimOfRules) else None
    return [(rule.name, rule) for rule in subject.chosen(names, known.name)]


def _claim(subject: Subject, known: Property) -> Claim:
    claim: Claim | None = getattr(subject.claims, known.name)
    return claim or known.claim()


def _known(name: str) -> Property:
    if name not in PROPERTIES:
        raise LaboratoryError(f"unknown property '{name}'. {suggest(name, PROPERTIES, 'properties')}")
    return PROPERTIES[name]


def _outcome(subject: Subject, known: Property, verdict: Any, **rest: Any) -> Outcome:
    claimed = getattr(subject.claims, known.name) is not None
    return Outcome(property=known.name, formula=known.formula, verdict=verdict, claimed=claimed, **rest)


def _plain(known: Property, example: Any) -> Any:
    return TypeAdapter(known.example).dump_python(example, mode="json", exclude_none=True)


def _because(misfits: dict[str, str], *, alone: bool = False) -> str:
    if alone and len(set(misfits.values())) == 1:
        return next(iter(misfits.values()))
    return "; ".join(f"not to {name}: {why}" for name, why in misfits.items())


def _told(outcome: Outcome) -> str:
    found: Counterexample | str = outcome.counterexample or outcome.why
    again = f"\n  reproduce: {outcome.reproduce}" if outcome.reproduce else ""
    return f"{outcome.property} {outcome.verdict}: {outcome.formula}\n{found}{again}"
