"""`counterstream test-rule`: which properties does a rule have?"""

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..testing.outcome import Outcome
    from ..testing.subject import Subject


def rule_test(
    rule: Annotated[
        str,
        typer.Argument(
            metavar="RULE", help="A learning system (a stock name, or a file), a file with one rule, or an equation."
        ),
    ],
    properties: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Only these properties; by default what the system claims, or else all."),
    ] = None,
    engine: Annotated[str, typer.Option(metavar="NAME", help="The engine that computes dw.")] = "reference",
    examples: Annotated[int, typer.Option(min=1, help="How many examples to try, a property and rule.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Which examples are drawn.")] = 0,
    reproduce: Annotated[
        str | None, typer.Option(metavar="JSON", help="Try the one example that a failure printed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON.")] = False,
) -> None:
    """Try a rule on small examples, property by property, and show the smallest one that fails.

    \b
    Leaves with exit code 0 where all that is claimed or asked for holds, 1 where a property fails or does not
    apply, 2 where the rule cannot be read. Where nothing is claimed and nothing asked for, all properties are
    tried, and those that do not apply are no failure.

    \b
    Examples:
      counterstream test-rule kolen_pollack
      counterstream test-rule my_rule.yaml --properties locality,batch_splitting
      counterstream test-rule "post.rate * (pre.rate - post.rate * w)"
    """
    from ..testing.requirements import require_hypothesis

    require_hypothesis()
    from ..testing.laboratory import reproduced
    from ..testing.subject import subject_of

    subject = subject_of(rule, engine=engine)
    if reproduce is not None:
        found = [reproduced(subject, reproduce)]
        explores = False
    else:
        names = None if properties is None else [name.strip() for name in properties.split(",") if name.strip()]
        explores = names is None and not any(subject.claims.named())
        found = _tried(subject, names, examples, seed, explores=explores, quiet=as_json)
    failed = _failed(found, explores=explores)
    if as_json:
        import json

        outcomes = [outcome.as_data() for outcome in found]
        print(json.dumps({"rule": subject.name, "engine": engine, "holds": not failed, "outcomes": outcomes}, indent=1))
    else:
        _print(found, _command(rule, engine))
    if failed:
        raise typer.Exit(1)


def _tried(
    subject: "Subject", names: Sequence[str] | None, examples: int, seed: int, *, explores: bool, quiet: bool
) -> "list[Outcome]":
    """All outcomes, each told as soon as it is known, unless `quiet`."""
    from ..testing.laboratory import chosen, trials
    from .console import console

    properties = chosen(subject, names)
    screen = console()
    if not quiet:
        why = "nothing is claimed, so all" if explores else "claimed" if names is None else "chosen"
        rules = ", ".join(rule.name for rule in subject.synapses)
        screen.print(f"{subject.name} ({rules}) on engine {subject.engine}; properties: {why}\n", soft_wrap=True)
    found: list[Outcome] = []
    with console(stderr=True).status("") as status:

        def report(name: str, rule: str) -> None:
            status.update(f"{len(found) + 1} of {len(properties)}: {name} of {rule}")

        for outcome in trials(subject, properties, examples=examples, seed=seed, report=report):
            found.append(outcome)
            if not quiet:
                screen.print(_line(outcome), soft_wrap=True)
    return found


def _line(outcome: "Outcome") -> str:
    match outcome.verdict:
        case "holds":
            about = f"{', '.join(outcome.tested)} ({outcome.examples} examples)"
        case "fails":
            about = outcome.tested[-1]
        case _:
            about = ""
    return f"{outcome.verdict:<15} {outcome.property:<22} {'; '.join(filter(None, (about, outcome.why)))}"


def _failed(found: "Sequence[Outcome]", *, explores: bool) -> "list[Outcome]":
    """Those that do not hold and should; where all are tried, one that does not apply need not."""
    accepted = ("holds", "does not apply") if explores else ("holds",)
    return [outcome for outcome in found if outcome.verdict not in accepted]


def _print(found: "Sequence[Outcome]", command: str) -> None:
    from .console import console

    screen = console()
    for outcome in found:
        if outcome.counterexample is not None:
            screen.print()
            for line in _counterexample(outcome, command):
                screen.print(line, soft_wrap=True)
    holding = sum(outcome.verdict == "holds" for outcome in found)
    unfit = sum(outcome.verdict == "does not apply" for outcome in found)
    told = f"{holding} of {len(found)} properties hold" + (f", {unfit} cannot be asked of it" if unfit else "")
    screen.print(f"\n{told}", soft_wrap=True)


def _counterexample(outcome: "Outcome", command: str) -> Iterator[str]:
    assert outcome.counterexample is not None
    yield f"{outcome.property}: {outcome.formula}"
    yield from (f"  {line}" for line in outcome.counterexample.lines())
    yield f"  Again: {command} --reproduce {shlex.quote(outcome.reproduce)}"


def _command(rule: str, engine: str) -> str:
    chosen = ("--engine", engine) if engine != "reference" else ()
    return shlex.join(("counterstream", "test-rule", rule, *chosen))
