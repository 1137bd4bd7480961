"""Equations of rules and of options: grown at random, and sound ones mutated."""

import re
from functools import cache

from hypothesis import strategies as st

from . import corpus, mutations, odd

_SIGNALS = (
    *"pre.rate pre.soma pre.apical post.rate post.soma post.apical pre.noise w mod.reward decay r".split(),
    *"partner.gated drive rate soma x.rate pre pre.rate.rate nothing lambda __import__".split(),
)
_NUMBERS = (*"0 1 2 3 0.1 1e-3 1e38 1e39 1e-39 9 8 10 1e400 1_0 0x1 1j 00 1.e5".split(), "7" * 400)
_FUNCTIONS = (*"relu sign abs exp tanh sigmoid step sqrt centre log eval open pre.rate".split(), "")
_OPERATORS = (*"+ - * / ** // % @ < == := , . ^".split(), " * ", " + ", " if ", " and ", "")
_COMMON_OPERATORS = ("+", "-", "*", "/", " * ", " + ")
_FOREIGN = (
    *"'a' [1] {1:2} (lambda:1)() f'{w}' w[0] *w w=1 ... None True print(1) # \\".split(),
    *("x for x in w", "9**9**9"),
)
_LOOK_ALIKES = dict(zip("aeop-*1 .", "\u0430\u0435\u043e\u0440\u2212\u2217\uff11\u00a0\u2024", strict=True))
_LONGEST = 3000
_OF_5, _OF_6, _OF_7, _OF_13, _OF_16 = (st.integers(0, number - 1) for number in (5, 6, 7, 13, 16))
_SOUND_ATOMS = st.sampled_from((*_SIGNALS, *_NUMBERS))
_ATOMS = st.one_of(st.sampled_from(_SIGNALS), st.sampled_from(_NUMBERS), st.sampled_from(_FOREIGN))
_ANY_OPERATOR = st.sampled_from(_OPERATORS) | st.sampled_from(_COMMON_OPERATORS)
_ODD = st.sampled_from(odd.ANYTHING)
_RUNS = (3, 49, 51, 64, 65, 99, 101, 700, _LONGEST)


@cache
def _sound() -> st.SearchStrategy[str]:
    return st.sampled_from(corpus.equations())


@cache
def _mutated() -> st.SearchStrategy[str]:
    return mutations.tokens(corpus.equations())


@cache
@st.composite
def rules(draw: st.DrawFn) -> str:
    """An equation for dw: random, or a sound one mutated, or one blown up."""
    match draw(_OF_5):
        case 0 | 1:
            text = draw(_grown(3))
        case 2:
            text = draw(_mutated())
        case 3:
            text = draw(_blown_up())
        case _:
            text = draw(_sound())
            at = draw(st.integers(0, len(text)))
            text = text[:at] + draw(_ODD) + text[at + draw(st.integers(0, 3)) :]
    if draw(_OF_16) == 0:
        character = draw(st.sampled_from(sorted(_LOOK_ALIKES)))
        text = text.replace(character, _LOOK_ALIKES[character], 1)
    return text


@cache
@st.composite
def _grown(draw: st.DrawFn, depth: int) -> str:
    if depth == 0 or draw(_OF_5) == 0:
        return draw(_ATOMS)
    match draw(_OF_6):
        case 0:
            return f"({draw(_grown(depth - 1))})"
        case 1:
            return f"{draw(st.sampled_from('-+'))}{draw(_grown(depth - 1))}"
        case 2:
            return f"{draw(st.sampled_from(_FUNCTIONS))}({draw(_grown(depth - 1))})"
        case 3:
            return f"({draw(_grown(depth - 1))})**{draw(st.integers(-9, 9))}"
        case _:
            operator = draw(_ANY_OPERATOR)
            return f"{draw(_grown(depth - 1))}{operator}{draw(_grown(depth - 1))}"


@cache
@st.composite
def _blown_up(draw: st.DrawFn) -> str:
    """Long sums, long products, deep nesting, towers of powers, binomials to high powers."""
    atom, many = draw(_SOUND_ATOMS), draw(st.sampled_from(_RUNS))
    match draw(_OF_7):
        case 0:
            return draw(st.sampled_from(("+", "-", "*", "/", "**"))).join([atom] * many)
        case 1:
            return "(" * many + atom + ")" * draw(st.sampled_from((many, many - 1)))
        case 2:
            return draw(st.sampled_from("-+~(")) * many + atom
        case 3:
            return "exp(" * many + atom + ")" * many
        case 4:
            return f"({' + '.join(_SIGNALS[: draw(st.integers(2, 8))])})**{draw(st.integers(2, 9))}"
        case 5:
            factor = f"({' + '.join(_SIGNALS[: draw(st.integers(2, 8))])})"
            return "*".join([factor] * draw(st.integers(2, 12)))
        case _:
            return "+".join(f"{draw(st.sampled_from(_SIGNALS[:6]))}**{power}*w**{power}" for power in range(1, 9))


_ENTRIES = "classes width sizes[0] sizes[1] sizes[2] sizes[-1] sizes twice a b nothing __class__".split()
_SUMS = (*"+ - * / // % ** << @".split(), " if ", " and ")
_TERMS = st.one_of(st.sampled_from(_ENTRIES), st.sampled_from(_NUMBERS), st.sampled_from(_FOREIGN))
_ANY_SUM = st.sampled_from(_SUMS) | st.sampled_from(_SUMS[:4])


@cache
@st.composite
def arithmetic(draw: st.DrawFn, depth: int = 3) -> str:
    """An expression in options, without the sign `$( )` around it."""
    if depth == 0 or draw(_OF_5) == 0:
        return draw(_TERMS)
    match draw(_OF_5):
        case 0:
            return f"({draw(arithmetic(depth - 1))})"
        case 1:
            return f"-{draw(arithmetic(depth - 1))}"
        case 2:
            parts = draw(st.lists(arithmetic(depth - 1), max_size=3))
            return f"{draw(st.sampled_from(('round', 'min', 'max', 'int', 'eval')))}({', '.join(parts)})"
        case _:
            operator = draw(_ANY_SUM)
            return f"{draw(arithmetic(depth - 1))} {operator} {draw(arithmetic(depth - 1))}"


@cache
@st.composite
def references(draw: st.DrawFn) -> str:
    """What a value may stand for in a file: `$name`, `$(expression)`, or nearly so."""
    expression = draw(arithmetic())
    if draw(_OF_13) == 0:
        expression = draw(st.sampled_from(("+", "*", "("))).join([expression] * draw(st.sampled_from((20, 60, 500))))
    name = re.sub(r"\W", "", expression)[:20]
    forms = (f"$({expression})", f"$({expression})", f"$({expression}", f"${name}", f"${expression}")
    return draw(st.sampled_from(forms))
