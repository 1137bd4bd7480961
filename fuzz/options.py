"""Circuits with options: expressions and references in every place where a value may stand, options in circles."""

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from . import corpus, equations, mutations, odd

_NAMES = ("classes", "width", "sizes", "twice", "a", "b", "c", "name", "sides")


@st.composite
def circuits(draw: st.DrawFn) -> str:
    """The compact circuit of `sound/` with other options, and with references in other places."""
    data: dict[str, Any] = deepcopy(corpus.plain(corpus.compact()[0]))
    if draw(st.integers(0, 3)) == 0:
        data["options"] |= draw(_ladder())
    reckoned = st.one_of(equations.references(), equations.references(), odd.values())
    for name in draw(st.lists(st.sampled_from(_NAMES), max_size=3)):
        data["options"][name] = draw(st.one_of(reckoned, st.lists(reckoned, max_size=3)))
    for _ in range(draw(st.integers(0, 2))):
        holder, key = draw(st.sampled_from(mutations.branches(data)))
        holder[key] = draw(reckoned)
    return mutations.as_json(data)


@st.composite
def _ladder(draw: st.DrawFn) -> dict[str, Any]:
    """Options reckoned from options reckoned from options: as long, as wide or as deep as may be."""
    rungs, width = draw(st.sampled_from(((5, 3), (40, 1), (400, 1), (9, 9), (30, 2))))
    shape = draw(st.sampled_from(("sum", "list", "mapping", "product", "circle")))
    found: dict[str, Any] = {"l0": draw(odd.numbers())}
    for rung in range(1, rungs):
        below = [f"l{rung - 1}"] * width
        match shape:
            case "list":
                found[f"l{rung}"] = [f"${name}" for name in below]
            case "mapping":
                found[f"l{rung}"] = {f"k{index}": f"${name}" for index, name in enumerate(below)}
            case _:
                found[f"l{rung}"] = f"$({(' * ' if shape == 'product' else ' + ').join([*below, '1'])})"
    if shape == "circle":
        found["l0"] = f"$(l{rungs - 1} + 1)"
    return found


def given() -> st.SearchStrategy[dict[str, Any]]:
    """Options as the command line or a caller gives them."""
    return st.dictionaries(st.sampled_from((*_NAMES[:5], "nothing")), odd.values(), max_size=2)
