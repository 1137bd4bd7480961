"""The summary of a run: how many inputs of which kind, what came of them, and what was found."""

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from .pieces import LOADED, Piece

_MOST = 60
"""Outcomes listed."""


def written(pieces: Sequence[Piece], seed: int, seconds: float, jobs: int) -> str:
    """The summary as text."""
    inputs = sum(piece.inputs for piece in pieces)
    findings = [finding for piece in pieces for finding in piece.findings]
    outcomes: Counter[str] = sum((piece.outcomes for piece in pieces), Counter())
    slowest = max(pieces, key=lambda piece: piece.slowest)
    lines = [
        f"{inputs} inputs, {len(findings)} findings",
        "",
        f"seed      {seed}",
        f"commit    {_commit()}",
        f"date      {datetime.now(UTC):%Y-%m-%d}",
        f"machine   {_machine()}, {jobs} processes at a time, other work running",
        f"versions  Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in _PACKAGES)}",
        f"seconds   {seconds:.0f} in all; {_milliseconds(pieces):.1f} ms of processor time an input, with its making",
        f"slowest   {slowest.slowest:.2f} s of processor time, a piece of '{slowest.kind}':",
        f"          {slowest.slowest_input:.300}",
        "",
        "inputs  load  kind",
        *_kinds(pieces),
        "",
        f"times  outcome ({len(outcomes)} in all; the {min(_MOST, len(outcomes))} most frequent)",
        *(f"{count:5d}  {outcome}" for outcome, count in outcomes.most_common(_MOST)),
    ]
    for number, finding in enumerate(findings, 1):
        lines += ["", f"finding {number}", *(f"  {line}" for line in finding.splitlines())]
    return "\n".join((*lines, ""))


_PACKAGES = ("hypothesis", "pydantic", "PyYAML", "networkx")


def _kinds(pieces: Sequence[Piece]) -> list[str]:
    inputs, loaded = Counter[str](), Counter[str]()
    for piece in pieces:
        inputs[piece.kind] += piece.inputs
        loaded[piece.kind] += piece.outcomes[LOADED]
    return [f"{count:6d} {loaded[kind]:5d}  {kind}" for kind, count in sorted(inputs.items())]


def _milliseconds(pieces: Sequence[Piece]) -> float:
    return 1000 * sum(piece.seconds for piece in pieces) / max(1, sum(piece.inputs for piece in pieces))


def _commit() -> str:
    ask = ("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty")
    return subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} cores of {names[0] if names else platform.machine()}"
