"""Pictures of circuits: the forward and the feedback stream side by side. Never imports torch.

In the order data pass: `outline` and `folding` (names to a tree of blocks, those alike folded into one), `routes`
(which lines run in each block), `marks` (rules, fixed weights, weight transport), `words`, `cards`, `crosses` (what
is written where), `gaps` and `layout` (where everything stands), `legend`, `picture` (the whole, as a `scene`), and
one painter a format: `svg`, `png`, `html`.
"""

from .html import as_html
from .picture import picture
from .png import as_png
from .scene import Scene
from .svg import as_svg

__all__ = ["Scene", "as_html", "as_png", "as_svg", "picture"]
