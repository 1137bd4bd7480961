"""How wide a text is, without any font at hand: the advance widths of DejaVu Sans, wider than the fonts that viewers
prefer.

Text that fits by these numbers fits in Helvetica, Arial, Segoe UI and Roboto, and exactly in matplotlib's own font.
"""

from collections.abc import Iterable
from unicodedata import east_asian_width

ROUNDING = 0.01
"""By so much a text may be wider than its room, in pixels: rooms are sums of widths, taken in other orders."""
MONO = 0.602
"""Of every letter of a typewriter font, in units of its size."""
_WIDE = 1.0
_OTHER = 0.84
_REGULAR = (
    "318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 636 636 "
    "337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 603 787 695 635 "
    "611 732 684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 615 352 635 634 278 278 579 278 974 "
    "634 612 635 635 411 521 392 634 592 818 592 592 525 636 337 636 838"
)
_BOLD = (
    "348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 696 696 696 "
    "400 400 838 838 838 580 1000 774 762 734 830 683 683 821 837 372 372 775 637 995 837 850 733 850 770 720 "
    "682 812 774 1103 771 724 725 457 365 457 838 500 500 675 716 593 716 678 435 716 712 343 343 665 343 1042 "
    "712 687 716 716 493 595 478 712 652 924 645 652 582 712 365 712 838"
)


def _table(widths: str) -> dict[str, float]:
    return {chr(32 + index): int(width) / 1000 for index, width in enumerate(widths.split())}


_SPACES = {"\u00a0": " "}
_TABLES = {False: _table(_REGULAR), True: _table(_BOLD)}


def width(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """The width of one line of text."""
    table = {} if mono else _TABLES[bold]
    return size * sum(table.get(_SPACES.get(letter, letter), 0.0) or _unlisted(letter, mono) for letter in text)


def _unlisted(letter: str, mono: bool) -> float:
    if east_asian_width(letter) in "WF":
        return _WIDE if not mono else 2 * MONO
    return MONO if mono else _OTHER


def _fits(text: str, size: float, room: float, *, bold: bool = False, mono: bool = False) -> bool:
    return width(text, size, bold=bold, mono=mono) <= room + ROUNDING


def cut(text: str, size: float, room: float, *, bold: bool = False, mono: bool = False) -> str:
    """The text, or as much of its two ends as fits, with an ellipsis between: names differ at their ends."""
    if _fits(text, size, room, bold=bold, mono=mono):
        return text
    for kept in range(len(text) - 1, 0, -1):
        head = (kept + 1) // 2
        short = f"{text[:head]}\u2026{text[len(text) - (kept - head) :]}"
        if _fits(short, size, room, bold=bold, mono=mono):
            return short
    return "\u2026"


def wrapped(parts: Iterable[str], size: float, room: float, *, joint: str = ", ", mono: bool = False) -> list[str]:
    """Parts set into lines, joined while they fit. A part too long for one is broken between words, a word is cut."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{joint}{part}" if lines else part
        if lines and _fits(longer, size, room, mono=mono):
            lines[-1] = longer
        elif joint != " " and not _fits(part, size, room, mono=mono):
            lines += wrapped(part.split(), size, room, joint=" ", mono=mono)
        else:
            lines.append(cut(part, size, room, mono=mono))
    return lines
