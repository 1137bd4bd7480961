"""The table in long form: one line a figure, for other programs."""

import math

import pandas as pd

from .rows import Block, ErrorTable

COLUMNS = ["row", "circuit", "system", "variant", "source", "mark", "n", "error", "spread", "seeds"]
OWN = "runs"  # the source of what was measured


def frame(table: ErrorTable) -> pd.DataFrame:
    """One line for each cell, and for each figure that others reported.

    error: the table's, in percent; spread: sample standard deviation over n seeds. source: `runs`, or who reported
    it, with a `mark` that says how it is known; n is 0 there.
    """
    return pd.DataFrame([line for block in table.blocks for line in _lines(block)], columns=COLUMNS)


def _lines(block: Block) -> list[tuple[object, ...]]:
    own = [
        (str(row), block.circuit, cell.system, row.variants.get(label, ""), OWN, "",
         len(cell.errors), cell.mean, cell.spread, " ".join(map(str, cell.errors)))
        for row in block.rows
        for label, cell in row.cells.items()
    ]  # fmt: skip
    others = [
        (str(line), block.circuit, system, "", line.source, line.mark, 0, error, math.nan, "")
        for line in block.published
        for system, error in line.errors.items()
    ]
    return [*own, *others]
