"""Fuzz the language: python -m fuzz --inputs 100000 --seed 1 --log fuzz/log.txt

From the repository's root. Leaves with 1 where a promise of the language was broken; the log then says by which input.
"""

import argparse
import sys
import time
from pathlib import Path

from . import pieces
from .log import written


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=2000, help="how many [default: 2000]")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other inputs [default: 0]")
    parser.add_argument("--log", type=Path, help="where to write the summary [default: nowhere]")
    parser.add_argument("--kind", default="", help="only kinds whose name holds this")
    parser.add_argument("--piece", type=int, default=1000, help="inputs of one process [default: 1000]")
    asked = parser.parse_args()

    began = time.perf_counter()
    pieces.warm_up()
    planned = [piece for piece in pieces.plan(asked.inputs, asked.seed, asked.piece) if asked.kind in piece[0]]
    found = []
    for index, (kind, inputs, number) in enumerate(planned, 1):
        piece = pieces.run(kind, inputs, number)
        found.append(piece)
        said = f"{piece.inputs} inputs, {len(piece.findings)} findings, {piece.seconds:.1f} s"
        print(f"{index}/{len(planned)} {kind}: {said}", file=sys.stderr)
    text = written(found, asked.seed, time.perf_counter() - began)
    print(text)
    if asked.log:
        asked.log.write_text(text, encoding="utf-8")
    return int(any(piece.findings for piece in found))


if __name__ == "__main__":
    sys.exit(main())
