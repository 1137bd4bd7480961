"""The first look at a rule's text: characters, numbers, words, brackets. What passes is safe to parse."""

import keyword
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from fractions import Fraction

MAX_LENGTH = 2000  # characters; the longest rule of the stock learning systems has 60
MAX_NESTING = 50  # parentheses within parentheses
LARGEST, SMALLEST = 38, -38  # decimal exponents of a number: what float32, in which engines compute, can hold

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.])
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<mark>[-+*/().,])""",
    re.VERBOSE | re.ASCII,
)
_WHY = {
    "=": "a rule is the value of dw, without a left-hand side",
    "^": "a power is written **",
    "<": "rules know no comparisons",
    ">": "rules know no comparisons",
    "!": "rules know no comparisons",
    "[": "rules know no subscripts",
    "]": "rules know no subscripts",
    "'": "rules know no strings",
    '"': "rules know no strings",
}


class Misfit(ValueError):
    """Something in a rule's text that cannot be, with its offset from the text's first character."""

    def __init__(self, message: str, offset: int):
        super().__init__(message)
        self.message, self.offset = message, offset


def check_text(text: str) -> None:
    """Raise `Misfit` unless the text is made of known tokens, its brackets match, and its size is sane."""
    if not text.strip():
        raise Misfit("the rule is empty; a synapse that does not learn has no rule", 0)
    if len(text) > MAX_LENGTH:
        raise Misfit(f"the rule has {len(text)} characters; at most {MAX_LENGTH} are read", MAX_LENGTH)
    position, opened = 0, list[int]()
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise _stray(text, position)
        if token.lastgroup == "word" and keyword.iskeyword(token[0]):
            raise Misfit(
                f"'{token[0]}' is a word of Python and cannot be a name in a rule; choose another name",
                position,
            )
        if token[0] == "(":
            opened.append(position)
            if len(opened) > MAX_NESTING:
                raise Misfit(f"parentheses nest more than {MAX_NESTING} deep", position)
        elif token[0] == ")":
            if not opened:
                raise Misfit("')' closes no parenthesis", position)
            opened.pop()
        position = token.end()
    if opened:
        raise Misfit("'(' is never closed", opened[-1])


def read_number(text: str, offset: int) -> Fraction:
    """The exact rational of the number that stands at `offset`; `Misfit` where it is out of range."""
    token = _TOKEN.match(text, offset)
    assert token is not None
    try:
        decimal = Decimal(token[0])
    except InvalidOperation:  # an exponent of twenty digits
        decimal = Decimal("Infinity")
    # Judged before the rational is built: 1e999999999 is short as text and a gigabyte as an integer.
    if decimal and not Decimal(f"1e{SMALLEST}") <= decimal <= Decimal(f"1e{LARGEST}"):
        raise Misfit(f"the number {token[0]} is out of range: between 1e{SMALLEST} and 1e{LARGEST}, or 0", offset)
    return Fraction(decimal) if decimal else Fraction(0)


def _stray(text: str, position: int) -> Misfit:
    """Why no token starts here."""
    character = text[position]
    if character in ".0123456789":
        found = re.match(r"[A-Za-z0-9_.]*", text[position:])
        return Misfit(f"'{found[0] if found else character}' is no number; numbers are written 3, 0.5, 1e-3", position)
    if not character.isascii():
        name = unicodedata.name(character, f"U+{ord(character):04X}")
        return Misfit(f"{character!r} ({name}) is not ASCII; rules are written in ASCII letters only", position)
    why = f": {_WHY[character]}" if character in _WHY else ""
    return Misfit(f"{character!r} has no meaning in a rule{why} (in {excerpt(text, position)})", position)


def excerpt(text: str, position: int) -> str:
    """The text around a position, short enough for a message."""
    start, end = max(0, position - 20), position + 20
    before, after = ("..." if start else ""), ("..." if end < len(text) else "")
    return f"'{before}{text[start:end]}{after}'"
