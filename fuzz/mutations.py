"""Sound texts made unsound: token by token, branch by branch of their tree, byte by byte."""

import json
import re
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from . import corpus, odd

_TOKEN = re.compile(r"\s+|[\w.$~*+/-]+|.")
_TOKEN_CHANGES = ("delete", "duplicate", "odd", "odd", "name", "swap", "other", "repeat")
_TREE_CHANGES = ("delete", "value", "value", "number", "word", "twin", "other", "rename", "wrap", "many")
_REPEATS = 300
_LONGEST = 2_000_000  # characters; more than a file may have
_TOKEN_CHANGE, _TREE_CHANGE = st.sampled_from(_TOKEN_CHANGES), st.sampled_from(_TREE_CHANGES)
_ODD = st.sampled_from(odd.ANYTHING)
_FEW, _MANY = st.integers(1, 4), st.integers(2, _REPEATS)
_ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1")


@st.composite
def tokens(draw: st.DrawFn, texts: tuple[str, ...]) -> str:
    """One of the texts with a few tokens deleted, doubled, swapped or replaced."""
    found = _TOKEN.findall(texts[draw(st.integers(0, len(texts) - 1))])
    for _ in range(draw(_FEW)):
        at = draw(st.integers(0, len(found) - 1))
        match draw(_TOKEN_CHANGE):
            case "delete":
                found[at] = ""
            case "duplicate":
                found[at] *= 2
            case "repeat":
                found[at] = (found[at] * draw(_MANY))[:_LONGEST]  # repeated again and again, it would fill the memory
            case "odd":
                found[at] = draw(_ODD)
            case "name":
                found[at] = draw(odd.words())
            case "swap":
                other = draw(st.integers(0, len(found) - 1))
                found[at], found[other] = found[other], found[at]
            case _:
                found[at] = found[draw(st.integers(0, len(found) - 1))]
    return "".join(found)


@st.composite
def trees(draw: st.DrawFn, texts: tuple[str, ...]) -> str:
    """One of the texts with a few branches of its tree changed; what comes out is well-formed YAML (JSON, in fact)."""
    data = deepcopy(corpus.plain(texts[draw(st.integers(0, len(texts) - 1))]))
    for _ in range(draw(_FEW)):
        found = branches(data)
        if not found:
            break
        _change(draw, *found[draw(st.integers(0, len(found) - 1))], found)
    return as_json(data)


def branches(value: Any) -> list[tuple[Any, Any]]:
    """Every (collection, key or index) in a tree."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        items = list(value.items() if isinstance(value, dict) else enumerate(value))
    return [branch for key, item in items for branch in ((value, key), *branches(item))]


def _change(draw: st.DrawFn, holder: Any, key: Any, others: list[tuple[Any, Any]]) -> None:
    match draw(_TREE_CHANGE):
        case "delete":
            del holder[key]
        case "value":
            holder[key] = draw(odd.values())
        case "number":
            holder[key] = draw(odd.numbers())
        case "word":
            holder[key] = draw(odd.words())
        case "other":
            other, there = others[draw(st.integers(0, len(others) - 1))]
            holder[key] = deepcopy(other[there])
        case "rename" if isinstance(holder, dict):
            holder[draw(odd.words())] = holder.pop(key)
        case "wrap":
            holder[key] = draw(st.sampled_from(([holder[key]], {"x": holder[key]}, {str(key): holder[key]})))
        case "many" if isinstance(holder, list):
            holder[key : key + 1] = [holder[key]] * draw(_MANY)
        case _:  # once more beside it
            if isinstance(holder, dict):
                holder[draw(odd.words())] = deepcopy(holder[key])
            else:
                holder.insert(key, deepcopy(holder[key]))


@st.composite
def noise(draw: st.DrawFn, texts: tuple[str, ...]) -> bytes:
    """One of the texts as bytes, in one encoding or another, some of them replaced, inserted or cut off."""
    text = texts[draw(st.integers(0, len(texts) - 1))]
    encoding = draw(st.sampled_from(_ENCODINGS))
    found = bytearray(text.encode(encoding, errors="replace"))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(found)))
        piece = draw(st.binary(max_size=6))
        match draw(st.sampled_from(("replace", "insert", "cut", "double"))):
            case "replace":
                found[at : at + len(piece)] = piece
            case "insert":
                found[at:at] = piece
            case "cut":
                del found[at:]
            case _:
                found[at:at] = found[at : at + 2000]
    return bytes(found)


def as_json(data: Any) -> str:
    """Data as JSON, which YAML reads; NaN and infinity as YAML writes them."""
    text = json.dumps(data, default=str)
    return re.sub(r'(?<![\w"])-?(NaN|Infinity)(?![\w"])', lambda found: ".nan" if "N" in found[0] else ".inf", text)
