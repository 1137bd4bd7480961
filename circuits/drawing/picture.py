"""The picture of a circuit: which of its blocks are open, and everything put together."""

from collections.abc import Collection, Iterator

from ..declarations import Circuit
from ..errors import CounterstreamError, suggest
from ..expansion import expand
from ..graph import build_graph
from .cards import Cards
from .folding import Folder
from .layout import Layout
from .legend import Words, head, legend, legend_width
from .marks import Marks
from .outline import Node, Outline, outline
from .scene import At, Group, Scene, When
from .shifting import moved, shifted

MOST_ROWS = 16
"""Populations and closed blocks that a page shows unasked; of more, blocks are closed."""
MARGIN, GUTTER = 24.0, 36.0
CAPTIONS = 34.0
"""The legend begins so far above the circuit, level with what is written over its columns."""
NARROWEST = 260.0


def picture(
    circuit: Circuit, *, opened: Collection[str] = (), depth: int | None = None, foldable: bool = False
) -> Scene:
    """The picture of a circuit in either form.

    opened: names of blocks that are shown open, whatever the depth. depth: how many levels of blocks are open; default:
    as many as a page holds. foldable: a scene in which every block can be opened and closed, for `as_html`.
    Raises CircuitError for a circuit that does not hold together, CounterstreamError for an unknown block.
    """
    graph = build_graph(expand(circuit))
    lines, marks = outline(graph), Marks(graph)
    chosen = _opened(lines, opened, depth)
    layout = Layout(lines, marks, Cards(graph, marks, Folder(graph)), chosen, foldable=foldable)
    body = layout.body()
    aside = max(MARGIN + body.left + body.right, NARROWEST) + GUTTER
    shift = (aside - GUTTER + MARGIN + body.left - body.right) / 2
    room = legend_width(marks)
    wide = aside + room + MARGIN
    above = head(graph, marks, wide - 2 * MARGIN, [x + shift - MARGIN for x in body.columns])
    beside = legend(graph, marks, room)
    top = MARGIN + above.height
    written = (
        _written(above, MARGIN, -above.height),
        _written(beside, aside, -CAPTIONS),
    )
    items = (*(shifted(item, shift) for item in body.items), *written)
    least = top - CAPTIONS + beside.height + MARGIN
    indices = frozenset(layout.index[path] for path in {"", *chosen} if path in layout.index)
    system = circuit.system or graph.circuit.system
    summary = f"Circuit {graph.circuit.name}" + (f", learning by {system}" if system else "")
    return Scene(graph.circuit.name, summary, wide, top, MARGIN, least, body.slots, indices, items)


def _written(words: Words, x: float, y: float) -> Group:
    """Words with their upper left corner so far from the upper end of the circuit."""
    return Group(at=At(0, "top"), shapes=tuple(moved(shape, x, y) for shape in words.shapes), when=When(0))


def _opened(lines: Outline, asked: Collection[str], depth: int | None) -> frozenset[str]:
    """Paths of the blocks that are open: down to a depth, and those that are asked for with all around them."""
    unknown = [name for name in asked if name not in lines.blocks]
    if unknown:
        known = sorted(lines.blocks, key=lambda name: (name.count("."), name))
        hint = suggest(unknown[0], known, "blocks") if known else "this circuit has no blocks"
        raise CounterstreamError(f"unknown block '{unknown[0]}'. {hint}")
    found = set(_down_to(lines.root, _fitting(lines.root) if depth is None else depth))
    for name in asked:
        node = lines.blocks[name]
        while node.path:
            found.add(node.path)
            node = lines.above[node.path]
    return frozenset(found)


def _down_to(block: Node, depth: int) -> Iterator[str]:
    """The blocks within a block that are open at a depth."""
    for child in block.children:
        if child.is_block and depth > 0:
            yield child.path
            yield from _down_to(child, depth - 1)


def _fitting(root: Node) -> int:
    """The greatest depth at which a page holds what is shown."""
    depth = 0
    while _rows(root, depth) < _rows(root, depth + 1) <= MOST_ROWS:
        depth += 1
    return depth


def _rows(block: Node, depth: int) -> int:
    return sum(1 if not child.is_block or depth <= 0 else _rows(child, depth - 1) for child in block.children)
