"""The rows of the picture: a population or a block, its box in either stream, and the lines between the two."""

from collections.abc import Iterator
from dataclasses import dataclass

from . import crosses
from .cards import Card, Cards
from .outline import Node, Outline


@dataclass(frozen=True)
class Row:
    """A node, its boxes and the lines between them."""

    node: Node
    forward: Card
    feedback: Card | None
    signs: tuple[crosses.Sign, ...]
    transport: str = ""
    """Of a closed block: what is told of its weight transport."""

    @property
    def height(self) -> float:
        """As high as its boxes and the lines between them need."""
        cards = [card.height for card in (self.forward, self.feedback) if card]
        return max(*cards, crosses.height(len(self.signs) + bool(self.transport)), 0.0)


class Rows:
    """Makes the rows of one outline."""

    def __init__(self, outline: Outline, cards: Cards) -> None:
        self.outline = outline
        self.cards = cards
        self.signs = crosses.signs(outline.graph)

    def row(self, node: Node) -> Row:
        """The row of a node; of a block, as it is while closed."""
        signs = tuple(sorted({sign for name in node.populations for sign in self.signs.get(name, ())}))
        if node.population is None:
            return Row(node, *self.cards.closed(node), signs, self._transport(node))
        back = self.outline.graph.partners.get(node.population)
        partner = self.cards.partner(back, node.label) if back else self.cards.sender(node.population, node.label)
        return Row(node, self.cards.population(node.population, node.label), partner, signs)

    def _transport(self, block: Node) -> str:
        why = list(self._reasons(block))
        more = f"\nand {len(why) - 1} more" if len(why) > 1 else ""
        return f"weight transport: {why[0]}{more}" if why else ""

    def _reasons(self, block: Node) -> Iterator[str]:
        """Why the feedback projections of a block are part of weight transport."""
        for label, reason in self.cards.marks.transported.items():
            owner = self.outline.stands_for[self.cards.folder.owner(label)]
            if owner in block.populations and self.outline.graph.is_feedback(label):
                yield reason
