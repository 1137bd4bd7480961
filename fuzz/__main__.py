"""Fuzz the language: python -m fuzz --inputs 100000 --seed 1 --log fuzz/log.txt

From the repository's root. Leaves with 1 where a promise of the language was broken; the log then says by which input.
"""

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

from . import pieces
from .log import written

UNFINISHED = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=2000, help="how many [default: 2000]")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other inputs [default: 0]")
    parser.add_argument("--log", type=Path, help="where to write the summary [default: nowhere]")
    parser.add_argument("--kind", default="", help="only kinds whose name holds this")
    parser.add_argument("--piece", type=int, default=1000, help="inputs of one process [default: 1000]")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time [default: 1]")
    parser.add_argument("--state", type=Path, help="keeps what is done; a later call with the same arguments goes on")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no piece after so many")
    asked = parser.parse_args()

    began = time.monotonic()
    pieces.warm_up()
    state = _state(asked.state)
    planned = [piece for piece in pieces.plan(asked.inputs, asked.seed, asked.piece) if asked.kind in piece[0]]
    left = [piece for piece in planned if piece[-1] not in {done.number for done in state.done}]
    in_time = takewhile(lambda _: time.monotonic() - began < 60 * asked.minutes, left)
    before = state.seconds
    for piece in pieces.run(in_time, asked.jobs):
        state.done.append(piece)
        state.seconds = before + time.monotonic() - began
        if asked.state:
            state.keep(asked.state)
        said = f"{piece.inputs} inputs, {len(piece.findings)} findings, {piece.seconds:.1f} s"
        print(f"{len(state.done)}/{len(planned)} {piece.kind}: {said}", file=sys.stderr)
    if len(state.done) < len(planned):
        print(f"{len(planned) - len(state.done)} pieces are left: call again", file=sys.stderr)
        return UNFINISHED
    text = written(state.done, asked.seed, state.seconds, asked.jobs)
    print(text)
    if asked.log:
        asked.log.write_text(text, encoding="utf-8")
    return int(any(piece.findings for piece in state.done))


@dataclass
class _State:
    """How far a run is."""

    done: list[pieces.Piece] = field(default_factory=list)
    seconds: float = 0.0

    def keep(self, path: Path) -> None:
        kept = {"seconds": self.seconds, "done": [vars(piece) for piece in self.done]}
        path.write_text(json.dumps(kept), encoding="utf-8")


def _state(path: Path | None) -> _State:
    """What an earlier call left, if any."""
    if path is None or not path.exists():
        return _State()
    found = json.loads(path.read_text(encoding="utf-8"))
    done = [pieces.Piece(**{**piece, "outcomes": Counter(piece["outcomes"])}) for piece in found["done"]]
    return _State(done, found["seconds"])


if __name__ == "__main__":
    sys.exit(main())
