"""`counterstream check`: does the circuit hold together, and is it local?"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Options, command, settings

if TYPE_CHECKING:
    from ..circuits import Circuit
    from ..circuits.locality import LocalityReport, Verdict

MOST_ROWS = 20
"""Of the table: with the rules and departures below it, a screenful."""
DEPARTURES = "Departures from locality that the model makes on purpose (none moves a weight to another synapse)"


def check(
    circuit: Annotated[str, typer.Argument(metavar="CIRCUIT", help="A stock circuit's name, or a file.")],
    learning: Annotated[
        str | None, typer.Option(metavar="NAME", help="A learning system in place of the circuit's own.")
    ] = None,
    option: Options = None,
    require_local: Annotated[
        bool, typer.Option("--require-local", help="Leave with exit code 1 where a synapse is not local.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="List every projection, where there are too many for a screen.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
) -> None:
    """Prove, projection by projection, that synapses learn from what is local to them, or say why not.

    \b
    Example:
      counterstream check digits_resnet --learning sign_symmetry
    """
    from ..circuits.expansion import expand
    from ..circuits.locality import prove
    from ..models.library import load

    loaded = load(circuit, learning=learning, options=settings(option))
    report, claims = prove(expand(loaded)), _claims(loaded)
    if as_json:
        import json

        print(json.dumps({**report.as_data(), "claims": claims}, indent=1))
    else:
        _print(report, claims, everything)
        print(f"Next: {command('explain', circuit, learning, option)}")
    if require_local and not report.local:
        raise typer.Exit(1)


def _claims(circuit: "Circuit") -> dict[str, dict[str, Any]]:
    """What the circuit's learning system and those of its projections claim of their rules, by system and property."""
    from ..circuits.declarations import LearningSystem
    from ..circuits.writing import as_data

    systems = (circuit.learning, *(projection.learning for projection in circuit.projections))
    claims = {system.name: as_data(system.claims) for system in systems if isinstance(system, LearningSystem)}
    return {system: claimed for system, claimed in claims.items() if claimed}


def _print(report: "LocalityReport", claims: Mapping[str, Iterable[str]], everything: bool) -> None:
    from .console import console
    from .report import table_of

    screen = console()
    screen.print(f"{report.circuit}, learning by {report.system or 'rules of its own'}\n", soft_wrap=True)
    rows = [(forward.subject, _judged(forward), _judged(reverse)) for forward, reverse in _pairs(report)]
    shown = rows if everything or len(rows) <= MOST_ROWS else _folded(rows)
    screen.print(table_of(("projection", "forward synapses", "feedback synapses"), shown, left=True))
    if shown is not rows:
        screen.print("Any number may stand for a *; --all lists the projections one by one", soft_wrap=True)
    for line in (
        *_populations(report),
        *_grouped("Rules", _rules(report)),
        *_grouped("Weights that are kept to", Counter(v.constraint for v in report.verdicts if v.constraint)),
        *_grouped(DEPARTURES, departures(report)),
        *(f"Claims of {system}, for counterstream test-rule: {', '.join(names)}" for system, names in claims.items()),
    ):
        screen.print(line, soft_wrap=True)
    screen.print(f"\n{_verdict(report)}", soft_wrap=True)


def _pairs(report: "LocalityReport") -> "Iterator[tuple[Verdict, Verdict | None]]":
    """Each projection that learns or is not local, with its reverse; a reverse without such a partner stands alone."""
    verdicts = {v.subject: v for v in report.verdicts if v.what == "projection"}
    for subject, verdict in verdicts.items():
        reverse = verdicts.get(f"{subject}~")
        told = [v for v in (verdict, reverse) if v and (v.rules or not v.local)]
        if told and subject.removesuffix("~") not in verdicts.keys() - {subject}:
            yield verdict, reverse


def _folded(rows: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Rows counted that are alike but for the numbers of their blocks, or, where those are many, for any number."""
    for numbers in (r"\d+(?=[^->]*\.)", r"\d+"):
        alike: dict[tuple[str, str, str], list[str]] = {}
        for name, forward, feedback in rows:
            alike.setdefault((re.sub(numbers, "*", name), forward, feedback), []).append(name)
        if len(alike) <= MOST_ROWS:
            break
    folded = [
        (f"{len(names):4d} x {folding if len(names) > 1 else names[0]}", forward, feedback)
        for (folding, forward, feedback), names in alike.items()
    ]
    if len(folded) > MOST_ROWS:
        rest = sum(map(len, list(alike.values())[MOST_ROWS - 1 :]))
        folded = [*folded[: MOST_ROWS - 1], (f"{rest:4d} others", "", "")]
    return folded


def _judged(verdict: "Verdict | None") -> str:
    if verdict is None:
        return "-"
    if verdict.local:
        return "local" if verdict.rules else "local, fixed"
    return "; ".join(f.message.partition(":")[0] for f in verdict.findings if f.kind != "departure")


def _populations(report: "LocalityReport") -> Iterator[str]:
    """Gains and biases: how many are local, and each that is not."""
    learning = [v for v in report.verdicts if v.what == "population" and v.rules]
    local = sum(verdict.local for verdict in learning)
    if learning:
        yield f"Gains and biases: local in {local} of {len(learning)} populations"
    for verdict in learning:
        if not verdict.local:
            yield f"  {verdict.subject}: {_judged(verdict)}"


def _rules(report: "LocalityReport") -> Counter[str]:
    return Counter(f"{mode}: {rule}" for v in report.verdicts for mode, rule in v.rules.items())


def departures(report: "LocalityReport") -> Counter[str]:
    """Departures, the same one of many populations counted as one."""
    named = re.compile(r"(?<!mode )'[^']*'")
    return Counter(named.sub("a population", finding.message) for _, finding in report.departures)


def _grouped(title: str, counts: Counter[str]) -> Iterator[str]:
    if counts:
        yield title
        yield from (f"  {count:4d} x {text}" for text, count in counts.items())


def _verdict(report: "LocalityReport") -> str:
    if report.local:
        return "Local: no synapse's value or change depends on another synapse's weight."
    count = len({subject for subject, _ in report.violations})
    if report.transports_weights:
        reading = any("its rule reads" in f.message for _, f in report.violations if f.kind == "transport")
        how = "take or read weights of others" if reading else "take their weights from others"
        return f"Weight transport: {count} projections {how}. It runs, as a control."
    return f"Not local: {count} projections or populations read what nothing brings them."
