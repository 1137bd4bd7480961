"""The table of a paper on learning systems: networks by systems, top-1 test error, what others reported beside.

table = error_table([Run.open(path) for path in paths])
print(markdown(table))
"""

from .cells import Cell
from .frame import frame
from .layout import columns, lines, markdown, notes
from .published import Published, published
from .rows import Block, ErrorTable, LeftOut, Row, error_table

__all__ = [
    "Block",
    "Cell",
    "ErrorTable",
    "LeftOut",
    "Published",
    "Row",
    "columns",
    "error_table",
    "frame",
    "lines",
    "markdown",
    "notes",
    "published",
]
