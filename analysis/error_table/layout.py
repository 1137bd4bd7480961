"""The table as a page shows it: headings, lines, what must be said below, and all of it as Markdown."""

from collections.abc import Iterator

from .cells import ordered, short
from .published import published_task
from .rows import Block, ErrorTable

NOTHING = "-"
FIRST = "network"


def columns(table: ErrorTable) -> list[str]:
    """The headings, behind that of the names: the systems that ran, and beside a network of the paper's the paper's."""
    own = [label for block in table.blocks for row in block.rows for label in row.cells]
    papers = [short(system) for block in table.blocks for line in block.published[:1] for system in line.errors]
    return [FIRST, *ordered([*own, *papers])]


def lines(table: ErrorTable) -> list[tuple[str, ...]]:
    """The rows of each circuit, and below them a line for each source that speaks of it."""
    found, headings = [], columns(table)[1:]
    for block in table.blocks:
        for row in block.rows:
            found.append((str(row), *(str(row.cells[label]) if label in row.cells else NOTHING for label in headings)))
        for line in block.published:
            reported = {short(system): f"{error:g}" for system, error in line.errors.items()}
            found.append((f"  {line}", *(reported.get(label, NOTHING) for label in headings)))
    return found


def notes(table: ErrorTable) -> list[str]:
    """What the figures mean, what each row was trained on, and what does not count."""
    return list(_notes(table))


def _notes(table: ErrorTable) -> Iterator[str]:
    if table.blocks:
        yield f"Top-{table.top} test error in %: mean ± sample standard deviation (number of seeds)."
    for block in table.blocks:
        yield from _trained_on(block)
    for line in {line.source: line for block in table.blocks for line in block.published}.values():
        yield f"{line}: {line.meaning}. {line.citation}."
    for left in table.left_out:
        yield f"Left out: {left.path}: {left.reason}."


def _trained_on(block: Block) -> Iterator[str]:
    other = published_task()
    for row in block.rows:
        yield f"{row}: {row.task}."
        for label, difference in row.variants.items():
            yield f"{row}, {label}: {difference}."
        if block.published and not row.task.is_of(other):
            yield (
                f"{row}: not {other.data}, which has {other.classes:,} classes and {other.images:,} training images. "
                "What others reported cannot be compared with it."
            )


def markdown(table: ErrorTable) -> str:
    """The table and its notes."""
    headings = columns(table)
    rows = [headings, ["---", *("---:" for _ in headings[1:])], *lines(table)]
    drawn = ["| " + " | ".join(cell.replace("|", r"\|").strip() for cell in row) + " |" for row in rows]
    return "\n".join([*drawn, "", *(f"- {note}" for note in notes(table)), ""])
