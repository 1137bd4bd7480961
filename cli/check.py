"""`counterstream check`: does the circuit hold together, and is it local?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..circuits.locality import LocalityReport, Verdict


def check(
    circuit: Annotated[str, typer.Argument(metavar="CIRCUIT", help="A stock circuit's name, or a file.")],
    learning: Annotated[
        str | None, typer.Option(metavar="NAME", help="A learning system in place of the circuit's own.")
    ] = None,
    require_local: Annotated[
        bool, typer.Option("--require-local", help="Leave with exit code 1 where a synapse is not local.")
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

    report = prove(expand(load(circuit, learning=learning)))
    if as_json:
        import json

        print(json.dumps(report.as_data(), indent=1))
    else:
        _print(report)
    if require_local and not report.local:
        raise typer.Exit(1)


def _print(report: "LocalityReport") -> None:
    from .console import console

    screen = console()
    system = report.system or "declared by hand"
    screen.print(f"{report.circuit} ({system})", soft_wrap=True)
    for line in _lines(report):
        screen.print(line, soft_wrap=True)
    screen.print(f"\n{_verdict(report)}", soft_wrap=True)


def _lines(report: "LocalityReport") -> Iterator[str]:
    """One line for each projection or population that learns or is not local; then the departures, grouped."""
    told = [v for v in report.verdicts if v.rules or not v.local]
    width = max((len(verdict.subject) for verdict in told), default=0)
    for verdict in told:
        yield f"  {verdict.subject:<{width}}  {_judged(verdict)}"
    grouped: dict[str, int] = {}
    for _, finding in report.departures:
        grouped[_generic(finding.message)] = grouped.get(_generic(finding.message), 0) + 1
    if grouped:
        yield "\nDepartures from locality that the model makes on purpose (no weight moves to another synapse):"
        for message, count in grouped.items():
            yield f"  {message} ({count}x)"


def _judged(verdict: "Verdict") -> str:
    if verdict.local:
        return "local"
    return "NOT LOCAL: " + "; ".join(f.message for f in verdict.findings if f.kind != "departure")


def _generic(message: str) -> str:
    """A finding without the names in it, so that the same finding of many populations is one line."""
    import re

    return re.sub(r"'[^']*'", "its partner", message, count=1) if "normalization of '" in message else message


def _verdict(report: "LocalityReport") -> str:
    if report.local:
        return "Local: no synapse's value or change depends on another synapse's weight."
    count = len({subject for subject, _ in report.violations})
    if report.transports_weights:
        return f"Weight transport: {count} projections take their weights from others. It runs, as a control."
    return f"Not local: {count} projections or populations read what nothing brings them."
