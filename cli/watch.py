"""`counterstream watch`: follow a run that is being recorded."""

import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..circuits.errors import CounterstreamError
from .console import console
from .glance import Glance, duration, look, newest
from .html_report import next_step
from .pausing import Pausing

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

STALE = 120.0  # seconds without a record after which a killed run is considered; told again after twice as long
TRIES = 5  # glances in a row that may fail: a file may be met half written
SHOWN = 6  # layers in the live table, the worst
WIDTH = 30  # of the bar
NEVER_ENDED = 1  # exit code where the run failed or was interrupted
WAITED = "data_wait"  # seconds in which training waited for data, since the record before


class Left(CounterstreamError):
    """Ctrl-C. The run that was watched goes on."""

    exit_code = 130


def watch(
    recording: Annotated[
        Path, typer.Argument(metavar="RUN.h5", help="A recording, or a folder: the newest in it. May not be there yet.")
    ],
    every: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="How often to look.")] = 2.0,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="SECONDS", help="Give up when nothing is there, or new, for so long. [default: never]"
        ),
    ] = None,
) -> None:
    """Follow a running experiment: metrics, angles, how far it is. It ends with the run; Ctrl-C leaves the run alone.

    Exit code 0 when the run is complete, 1 when it failed or was interrupted, 130 for Ctrl-C.

    \b
    Example:
      counterstream watch runs/demo
    """
    screen = console()
    try:
        with Pausing() as pausing:
            path = _awaited(recording, every, timeout, screen, pausing)
            glances = _glances(path, every, timeout, pausing)
            last = _live(glances, screen) if screen.is_terminal else _plain(path, glances, screen)
    except KeyboardInterrupt:
        raise Left(f"left; a run goes on without being watched. Again: counterstream watch {recording}") from None
    _end(last, screen)
    if last.status != "complete":
        raise typer.Exit(NEVER_ENDED)


def _awaited(recording: Path, every: float, timeout: float | None, screen: "Console", pausing: Pausing) -> Path:
    """The path of the recording, once it is there."""
    began, told = time.monotonic(), False
    while (path := newest(recording)) is None:
        if not told:
            what = "a recording in it" if recording.is_dir() else "it"
            screen.print(f"{recording}: waiting for {what}. Ctrl-C leaves", soft_wrap=True)
            told = True
        if timeout is not None and time.monotonic() - began > timeout:
            raise CounterstreamError(
                f"{recording}: must be there within {timeout:g} s (nothing came). "
                "Is this the run's --output, and is it under way?"
            )
        pausing.sleep(every)
    return path


def _glances(path: Path, every: float, timeout: float | None, pausing: Pausing) -> Iterator[Glance]:
    """What the recording says, again and again, the last time after its end. Raises where nothing new comes."""
    from ..analysis import AnalysisError

    failures = 0
    while True:
        try:
            glance = look(path)
            failures = 0
        except AnalysisError:
            failures += 1
            if failures == TRIES:
                raise
        else:
            yield glance
            if not glance.running:
                return
            if timeout is not None and time.time() - glance.written > timeout:
                quiet = duration(time.time() - glance.written)
                raise CounterstreamError(
                    f"{path}: nothing was recorded for {quiet}, more than --timeout {timeout:g}. What there is: "
                    f"counterstream analyze {path}"
                )
        pausing.sleep(every)


def _live(glances: Iterator[Glance], screen: "Console") -> Glance:
    from rich.live import Live

    with Live(console=screen, auto_refresh=False, transient=True) as live:
        first = None
        for glance in glances:
            first = first or glance
            live.update(picture(glance, first, time.time()), refresh=True)
    return glance


def _plain(path: Path, glances: Iterator[Glance], screen: "Console") -> Glance:
    """A line for each new record, once it stood still for a glance: its groups are written one after the other."""
    first = before = shown = None
    patience = STALE
    for glance in glances:
        if first is None:
            first = glance
            screen.print(f"{path}: {glance.title}, {glance.status}", soft_wrap=True)
        still = before is None or before.records == glance.records or glance.step > before.step or not glance.running
        if still and glance.records != shown:
            shown = glance.records
            screen.print(line(glance, first, time.time()), soft_wrap=True)
        quiet = time.time() - glance.written
        if quiet < STALE:
            patience = STALE
        elif quiet > patience and glance.running:
            screen.print(_stale(quiet), soft_wrap=True)
            patience = 2 * quiet
        before = glance
    return glance


def line(glance: Glance, first: Glance, now: float) -> str:
    """A glance in one line."""
    angles = [
        f"{angles.kind} angle median {angles.median:.1f}°, worst {angles.worst[0][1]:.1f}° ({angles.worst[0][0]})"
        for angles in glance.angles
    ]
    return "   ".join([_how_far(glance, first, now), *_metrics(glance), *angles])


def picture(glance: Glance, first: Glance, now: float) -> "RenderableType":
    """A glance for a terminal: a bar, metrics, the worst layers."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [
        Text.assemble((glance.title, "bold"), f"   {glance.path}", overflow="ellipsis", no_wrap=True)
    ]
    bar = _bar(glance.share)
    parts.append(Text.assemble(bar, " " if bar.plain else "", _how_far(glance, first, now)))
    if glance.metrics:
        parts.append(Text("   ".join(_metrics(glance))))
    if glance.angles:
        parts += [Text(), _table(glance)]
    quiet = now - glance.written
    if quiet > STALE:
        parts.append(Text(_stale(quiet), style="yellow"))
    parts.append(Text("Ctrl-C leaves; the run goes on", style="dim"))
    return Group(*parts)


def _stale(quiet: float) -> str:
    return f"nothing new for {duration(quiet)}: records are rare, or the run was killed"


def _bar(share: float | None) -> "Text":
    from rich.text import Text

    if share is None:
        return Text()
    done = round(share * WIDTH)
    return Text.assemble(("━" * done, "green"), ("━" * (WIDTH - done), "dim"))


def _how_far(glance: Glance, first: Glance, now: float) -> str:
    planned = f"/{glance.epochs}" if glance.epochs else ""
    left = glance.left(first, now) if glance.running else None
    remaining = f"   about {duration(left)} left" if left is not None else ""
    return f"epoch {glance.epoch:.4g}{planned}   step {glance.step:,}{remaining}"


def _metrics(glance: Glance) -> list[str]:
    return [f"{name.replace('_', ' ')} {_value(name, value)}" for name, value in glance.metrics.items()]


def _value(name: str, value: float) -> str:
    if name.endswith("accuracy"):
        return f"{value:.1%}"
    if name == WAITED:
        return duration(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _table(glance: Glance) -> "RenderableType":
    """Angles: how many layers, median, and the worst ones by name."""
    from .report import table_of

    rows = []
    for angles in glance.angles:
        rows.append((f"{angles.kind} angle, median of {len(angles.layers)}", f"{angles.median:.1f}°"))
        rows += [(f"  {name}", f"{degrees:.1f}°") for name, degrees in angles.worst[: SHOWN // len(glance.angles)]]
    return table_of((f"angles at epoch {glance.angles[0].epoch:.4g}, the worst layers", ""), rows)


def _end(glance: Glance, screen: "Console") -> None:
    """How the run ended, and what to do next."""
    accuracy = glance.results.get("test_accuracy")
    came = f", test accuracy {accuracy:.2%}" if isinstance(accuracy, float) else ""
    why = f": {glance.message}" if glance.message else ""
    screen.print(f"{glance.title}: {glance.status} at epoch {glance.epoch:.4g}{came}{why}", soft_wrap=True)
    screen.print(f"\nTry next:\n  counterstream analyze {shlex.quote(str(glance.path))}", soft_wrap=True)
    screen.print(f"  {next_step(glance.path.parent)}", soft_wrap=True)
