"""Pydantic's findings as a person reads them. What each message says stands in tests/invalid."""

from typing import Literal

import pytest
from pydantic import Field

import counterstream as cs
from counterstream.circuits.declarations import Circuit, LearningSystem
from counterstream.circuits.model import Declaration, Number, Whole
from counterstream.circuits.validation import build, keys_at
from counterstream.circuits.yamlfile import read


class Inner(Declaration):
    count: Whole = Field(default=1, ge=1, lt=10)
    share: Number = Field(default=0.5, gt=0, le=1)
    pair: tuple[Whole, Whole] = (1, 1)
    word: Literal["a", "b"] = "a"


class Outer(Declaration):
    inner: Inner = Inner()
    many: list[Inner] = Field(default_factory=list)
    by_name: dict[str, Inner] = Field(default_factory=dict, alias="named")
    text: str = ""


def complaints(text: str) -> list[str]:
    with pytest.raises(cs.CircuitError) as caught:
        build(Outer, read(text, "f"))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inner: {count: x}", "f:1:9: inner.count: must be a whole number (got 'x')"),
        ("inner: {count: true}", "f:1:9: inner.count: must be a whole number (got true)"),
        ("inner: {count: 0}", "f:1:9: inner.count: must be at least 1 (got 0)"),
        ("inner: {count: 10}", "f:1:9: inner.count: must be less than 10 (got 10)"),
        ("inner: {share: 0}", "f:1:9: inner.share: must be more than 0 (got 0)"),
        ("inner: {share: 2}", "f:1:9: inner.share: must be at most 1 (got 2)"),
        ("inner: {share: [1]}", "f:1:9: inner.share: must be a finite number (got [1])"),
        ("inner: {pair: 3}", "f:1:9: inner.pair: must be a list (got 3)"),
        ("inner: {pair: [1, 2, 3]}", "f:1:9: inner.pair: must have 2 items (got [1, 2, 3])"),
        ("inner: {pair: [1, x]}", "f:1:19: inner.pair[1]: must be a whole number (got 'x')"),
        ("inner: {word: c}", "f:1:9: inner.word: must be one of a, b (got 'c')"),
        ("inner: 3", "f:1:1: inner: must be a mapping of keys to values (got 3)"),
        ("inner:", "f:1:1: inner: must be a mapping of keys to values (got nothing)"),
        ("many: {}", "f:1:1: many: must be a list (got {})"),
        ("many: [{}, {cuont: 1}]", "f:1:13: many[1].cuont: unknown key 'cuont'. Did you mean 'count'?"),
        ("named: {x: {wrod: a}}", "f:1:13: named.x.wrod: unknown key 'wrod'. Did you mean 'word'?"),
        ("nmaed: {}", "f:1:1: nmaed: unknown key 'nmaed'. Did you mean 'named'? valid keys: inner, many, named, text"),
        ("text: 3", "f:1:1: text: must be text (got 3)"),
    ],
)
def test_messages(text: str, message: str) -> None:
    (found,) = complaints(text)
    assert found.startswith(message)


def test_all_at_once_in_the_order_of_the_file() -> None:
    found = complaints("text: 1\nmany:\n  - {count: 0}\n  - {word: c}\ninner: {share: 5, bogus: 1}\n")
    assert [line.split(": ")[0] for line in found] == ["f:1:1", "f:3:6", "f:4:6", "f:5:9", "f:5:19"]


def test_the_keys_that_may_stand_somewhere() -> None:
    assert "from" in keys_at(Circuit, ("projections", 0))
    assert "kernel" in keys_at(Circuit, ("projections", 0, "wiring", "conv"))
    assert "size" in keys_at(Circuit, ("projections", 0, "wiring", "dense"))
    assert "forward" in keys_at(LearningSystem, ("modes", "engaged"))
