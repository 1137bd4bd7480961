"""Pieces of a run: so many inputs of one kind from one seed, in a process of its own, and what came of each."""

import contextlib
import multiprocessing
import os
import random
import re
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, cast

from hypothesis import HealthCheck, Phase, given, seed, settings

from . import corpus, guard, targets
from .kinds import Kind, kinds

_GIGABYTES = 3.0
_CYCLE = "populations: {x: {shape: 1}}\nprojections: [{from: x, to: x, wiring: one_to_one}]"
LOADED = "loads"


@dataclass
class Piece:
    """What came of some inputs of one kind."""

    kind: str
    number: int
    """Its seed."""
    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    """The smallest input of each promise that was broken, and how."""
    slowest: float = 0.0
    slowest_input: str = ""
    seconds: float = 0.0
    """Of processor time, making the inputs included."""


def run(planned: Iterable[tuple[str, int, int]], jobs: int) -> Iterator[Piece]:
    """Pieces (kind, inputs, seed), each in a process of its own, `jobs` at a time, as they end."""
    waiting, working = iter(planned), dict[Connection, _Work]()
    while True:
        for piece in islice(waiting, jobs - len(working)):
            work = _Work(*piece)
            working[work.result] = work
        if not working:
            return
        for result in wait(list(working)):
            yield working.pop(cast(Connection, result)).ended()


class _Work:
    """A piece at work. Its process may die: then the input that it died of is the finding."""

    def __init__(self, kind: str, inputs: int, number: int) -> None:
        self.kind, self.number = kind, number
        self.folder = tempfile.TemporaryDirectory(prefix="fuzz")
        self.result, theirs = multiprocessing.Pipe(duplex=False)
        arguments = (kind, inputs, number, self.folder.name, theirs)
        self.process = multiprocessing.get_context("fork").Process(target=_run, args=arguments)
        self.process.start()
        theirs.close()

    def ended(self) -> Piece:
        """What came of it."""
        with self.folder:
            try:
                found: Piece = self.result.recv()
                self.process.join()
            except EOFError:
                self.process.join()
                died_of = (Path(self.folder.name) / "input").read_text(encoding="utf-8")
                ending = f"the process ended with {self.process.exitcode}\n{died_of}"
                found = Piece(self.kind, self.number, 1, findings=[ending])
        return found


def _run(kind: str, inputs: int, number: int, folder: str, to: Connection) -> None:
    os.chdir(folder)
    guard.limit_memory(_GIGABYTES)
    piece = Piece(kind, number)
    began = time.process_time()
    tried = _trial(kinds()[kind], piece)

    @seed(number)
    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(kinds()[kind].strategy)
    def each(drawn: Any) -> None:
        tried(drawn)

    try:
        each()
    except BaseException as error:  # all that is no refusal is a finding, a hang too
        piece.findings += _told(error)
    piece.seconds = time.process_time() - began
    to.send(piece)


def _trial(kind: Kind, piece: Piece) -> Any:
    """What is done with one input."""

    def tried(drawn: Any) -> None:
        Path("input").write_text(repr(drawn), encoding="utf-8", errors="backslashreplace")
        if isinstance(drawn, bytes):
            Path(targets.NAME).write_bytes(drawn)
        began, outcome = time.process_time(), "broken"
        try:
            with guard.watched():
                refusal = kind.target(drawn)
            outcome = LOADED if refusal is None else f"{type(refusal).__name__}: {template(str(refusal))}"
        finally:
            took = time.process_time() - began
            piece.inputs += 1
            piece.outcomes[outcome] += 1
            if took > piece.slowest:
                piece.slowest, piece.slowest_input = took, repr(drawn)

    return tried


def _told(error: BaseException) -> Iterator[str]:
    """A broken promise: how, where, and the smallest input; each of several."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _told(inner)
        return
    lines = traceback.format_exception(error, limit=-3)
    yield "".join([*lines, *getattr(error, "__notes__", ())])


def template(message: str) -> str:
    """What a message says, without what it says it of: two inputs wrong in the same way have the same template."""
    first = message.splitlines()[0]
    first = re.sub(r"^(<[a-z]+>|\S*?\.yaml|option [^:]*)(:\d+)*: ", "", first)
    head, colon, rest = first.partition(": ")
    if colon and re.fullmatch(r"[\w.\[\]~>'$?\\-]+", head):  # the path
        first = rest
    first = first.partition(" (got")[0].partition(". Did you")[0]
    first = re.split(r"\. [a-z ]+: ", first)[0]
    first = re.sub(r"'[^']*'|\"[^\"]*\"", "'...'", first)
    return re.sub(r"\d[\d.e+-]*", "N", first)[:90]


def plan(inputs: int, number: int, size: int) -> list[tuple[str, int, int]]:
    """Pieces of at most `size` inputs, (kind, inputs, seed), that together are `inputs`, in an order of the seed's."""
    every = kinds()
    shares = sum(kind.share for kind in every.values())
    whole = []
    left = inputs
    for index, (name, kind) in enumerate(every.items()):
        count = left if index == len(every) - 1 else round(inputs * kind.share / shares)
        count = min(count, left)
        left -= count
        whole += [(name, min(size, count - start)) for start in range(0, count, size)]
    pieces = [(name, count, number * 1_000_003 + index) for index, (name, count) in enumerate(whole)]
    random.Random(number).shuffle(pieces)
    return pieces


def warm_up() -> None:
    """Load what is loaded lazily, so that a later import is news."""
    few = settings(max_examples=3, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        os.chdir(folder)
        Path(targets.NAME).write_text(corpus.explicit()[0], encoding="utf-8")
        assert targets.command(b"") is None
        assert targets.circuit(_CYCLE) is not None  # networkx compiles what finds it
        for kind in kinds().values():
            with contextlib.suppress(BaseException):
                few(given(kind.strategy)(_called(kind)))()
        os.chdir(here)


def _called(kind: Kind) -> Any:
    """The target as a function of one argument, as `given` wants it."""

    def target(drawn: Any) -> None:
        kind.target(drawn)

    return target
