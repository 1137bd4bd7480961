"""The commands, put together."""

from collections.abc import Callable
from typing import Annotated

import typer

from . import (
    analyze,
    bench,
    check,
    data,
    demo,
    draw,
    expand,
    explain,
    html_report,
    listing,
    rule_test,
    run,
    schema,
    table,
    validate,
    watch,
)

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo.demo,
    "run": run.run,
    "bench": bench.bench,
    "check": check.check,
    "test-rule": rule_test.rule_test,
    "expand": expand.expand,
    "draw": draw.draw,
    "explain": explain.explain,
    "list": listing.list_all,
    "schema": schema.schema,
    "analyze": analyze.analyze,
    "table": table.table,
    "validate": validate.validate,
    "report": html_report.report,
    "watch": watch.watch,
}

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: the same in a pipe, and nothing to load
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"counterstream {version('counterstream')}")
        raise typer.Exit


@app.callback()
def counterstream(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Declare a network as a circuit of forward and feedback neurons with local plasticity rules, prove that
    nothing in
    it transports weights, train it, and measure how the feedback synapses came to mirror the forward ones.

    \b
    Start with:
      counterstream demo
    """


# An equation may well begin with a minus, which is no option then.
EQUATIONS = {"test-rule": {"ignore_unknown_options": True}}

for _name, _command in COMMANDS.items():
    app.command(_name, context_settings=EQUATIONS.get(_name))(_command)
app.add_typer(data.data, name="data")
