"""What is done with an input, and what must hold whatever it is.

Either it loads: then what is dumped loads to an equal circuit, and `check` and `expand` work and agree with themselves.
Or it is refused by a CounterstreamError that says where, in text that may be printed as it is.
"""

import io
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import counterstream as cs
from counterstream.circuits.declarations import LearningSystem
from counterstream.circuits.errors import Location
from counterstream.circuits.rules import normal_form, parse_rule, term_text, to_text, vanishes_at_zero
from counterstream.circuits.validation import build
from counterstream.circuits.yamlfile import read
from counterstream.cli import main
from counterstream.cli.loading import circuits_of
from counterstream.engine.training import as_yaml, reads
from counterstream.models.library import load_document

NAME = "fuzzed.yaml"
LONGEST_MESSAGE = 1200
"""Characters of one problem. Longer ones are read by nobody."""
MOST_PROBLEMS = 101
Refusal = cs.CounterstreamError | None

_HOST = """
populations: {x: {input: [1, 4, 4]}, h: {normalize: batch, transfer: relu}, y: {transfer: softmax}}
projections:
  - {from: x, to: h, wiring: {conv: {channels: 2, kernel: 3}}}
  - {from: h, to: y, wiring: {dense: {size: 3}}}
"""
_PARAMETERS = {"decay": 0.01, "r": 0.1, "slope": 1.0, "variance": 1.0}


class Broken(AssertionError):
    """A promise of the language that an input breaks."""


def circuit(text: str, options: dict[str, Any] | None = None) -> Refusal:
    """A circuit in either form."""
    try:
        found = cs.loads(text, file=NAME, options=options)
    except cs.CounterstreamError as error:
        return _well_said(error)
    return _sound(found)


def _sound(found: cs.Circuit) -> None:
    """What must hold of every circuit that loads."""
    _same(cs.loads(cs.dump(found)), found, "loading what was dumped")
    written_out = cs.expand(found)
    _same(cs.loads(cs.dump(written_out)), written_out, "loading the explicit form")
    _same(cs.expand(written_out), written_out, "expanding the explicit form")
    _same(cs.check(written_out).as_data(), cs.check(found).as_data(), "checking the explicit form")


def learning(text: str) -> Refusal:
    """A learning system, alone and in a circuit."""
    try:
        document = read(text, NAME)
        system = build(LearningSystem, document)
    except cs.CounterstreamError as error:
        return _well_said(error)
    _same(build(LearningSystem, read(cs.dump(system))), system, "loading what was dumped")
    try:
        found = load_document(read(_HOST, "host.yaml"), learning=document)
    except cs.CounterstreamError as error:
        return _well_said(error)
    return _sound(found)


def experiment(text: str) -> Refusal:
    """An experiment, and the circuits in it."""
    try:
        found = reads(text, NAME)
    except cs.CounterstreamError as error:
        return _well_said(error)
    _same(reads(as_yaml(found)), found, "reading it with every default written out")
    try:
        circuits_of(found)
    except cs.CounterstreamError as error:
        return _well_said(error)
    return None


def rule(text: str) -> Refusal:
    """One equation, as a synapse's and as a gain's."""
    refusals = [_rule(text, kind) for kind in ("synapse", "intrinsic")]
    return next((None for refusal in refusals if refusal is None), refusals[0])


def _rule(text: str, kind: Any) -> Refusal:
    words: dict[str, Any] = {"kind": kind, "parameters": _PARAMETERS, "modulators": ("reward",), "noise": True}
    place: dict[str, Any] = {"location": Location(NAME, 1, 1), "path": "rules.engaged"}
    try:
        expression = parse_rule(text, **words, **place)
    except cs.CounterstreamError as error:
        return _well_said(error)
    try:
        again = parse_rule(to_text(expression), **words)
    except cs.CircuitError as error:  # near a cap, what is written out may exceed it
        if not re.search(r"too large|characters; at most|nest|out of range", str(error)):
            raise Broken(f"its own text {to_text(expression)!r} is refused: {error}") from None
    else:
        _same(again, expression, "reading its own text")
    try:
        terms = normal_form(expression, _PARAMETERS, kind=kind)
    except cs.CounterstreamError as error:
        return _well_said(error, whole=True)  # whoever asks knows the place
    for term in terms:
        assert term_text(term)
        if term.pre is not None:
            vanishes_at_zero(term.pre)
    return None


def _same(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise Broken(f"{what} gives something else: {found!r:.300} in place of {expected!r:.300}")


def _well_said(error: cs.CounterstreamError, *, whole: bool = False) -> cs.CounterstreamError:
    """The error itself, if a person can read it and a terminal may show it. `whole`: it is about no place."""
    text = str(error)
    if not text.strip() or any(not (character.isprintable() or character == "\n") for character in text):
        raise Broken(f"a message that cannot be printed: {text!r:.300}")
    if error.exit_code != 2:
        raise Broken(f"exit code {error.exit_code}: {text:.300}")
    lines = text.splitlines()
    if len(lines) > MOST_PROBLEMS or max(map(len, lines)) > LONGEST_MESSAGE:
        raise Broken(f"a message of {len(lines)} lines, the longest of {max(map(len, lines))} characters: {text:.300}")
    for problem in getattr(error, "problems", ()):
        if not whole and not _placed(problem.location):
            raise Broken(f"no place: {problem}"[:300])
    return error


def _placed(location: Location) -> bool:
    """Whether it says where: the option, or the line and column in a file."""
    return location.file.startswith("option ") or bool(location.file and location.line and location.column)


def file(_: bytes) -> Refusal:
    """A circuit's file of any bytes, written already."""
    try:
        found = cs.load(NAME)
    except cs.CounterstreamError as error:
        return _well_said(error)
    return _sound(found)


def command(_: bytes) -> Refusal:
    """The same through the command line: exit code 0 or 2, and what is wrong on stderr."""
    said, complained = io.StringIO(), io.StringIO()
    code: object = 0
    try:
        with redirect_stdout(said), redirect_stderr(complained):
            sys.argv = ["counterstream", "check", NAME]
            main()
    except SystemExit as left:
        code = left.code
    if code not in (0, 2) or bool(complained.getvalue()) != (code == 2):
        raise Broken(f"exit code {code!r}, stderr {complained.getvalue()!r:.300}")
    try:
        cs.load(NAME)
    except cs.CounterstreamError as error:
        if str(error) != complained.getvalue().rstrip("\n"):
            raise Broken(f"the command says {complained.getvalue()!r:.300}, and loading {error!s:.300}") from None
        return _well_said(error)
    if code:
        raise Broken(f"the command refuses what loads: {complained.getvalue()!r:.300}")
    return None
