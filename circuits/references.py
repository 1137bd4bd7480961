"""References in plain data, `$name` and `$(expression)`: what they stand for, and why one stands for nothing."""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import Any

from .arithmetic import ArithmeticFault, is_reference, names_in, substitute
from .errors import suggest
from .topology import CycleError, topological_order
from .yamlfile import MAXIMAL_DEPTH, MAXIMAL_NODES, Path_

Fault = tuple[Path_, str]
"""Where in the data, and what is wrong there."""


class Room:
    """How many values a document may still hold once its references are replaced.

    A value may stand for ten others, each of them for ten more, and so on: little text, no end of values. They are one
    object each, so that replacing costs nothing; to look at them all would.
    """

    def __init__(self) -> None:
        self.left = MAXIMAL_NODES

    def refusal(self, value: Any) -> str | None:
        """Make room for a value. Why there is none, or None where there is."""
        waiting = [(value, 0)]
        while waiting:
            found, depth = waiting.pop()
            items = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
            self.left -= 1
            if depth > MAXIMAL_DEPTH or len(items) > self.left:
                return (
                    f"with every reference replaced, a file must hold at most {MAXIMAL_NODES} values, "
                    f"nested at most {MAXIMAL_DEPTH} deep"
                )
            waiting += [(item, depth + 1) for item in items]
        return None


def substituted(value: Any, scope: Mapping[str, Any]) -> Any:
    """The value with every reference replaced; what is out of scope, or cannot be worked out, stays as it is:
    `left_over` says what is wrong with it."""
    if isinstance(value, str) and is_reference(value):
        try:
            return substitute(value, scope)
        except ArithmeticFault:
            return value
    if isinstance(value, dict):
        return {key: substituted(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [substituted(item, scope) for item in value]
    return value


def left_over(value: Any, scope: Mapping[str, Any], noun: str) -> Iterator[Fault]:
    """A fault for every reference that nothing has replaced. `noun`: what the names in scope are."""
    for path, reference in _references(value):
        yield path, _why_left(reference, scope, noun)


def settled(values: Mapping[str, Any], noun: str) -> tuple[dict[str, Any], list[Fault]]:
    """Named values with the references among them replaced, in whatever order they are given, and what is wrong.

    A fault is told once, of the value in which it stands and not of those that are reckoned from it. Where values are
    reckoned in a circle, that is all that is told.
    """
    reads = {name: [read for read in _names_in(value) if read in values] for name, value in values.items()}
    edges = [(read, name) for name, found in reads.items() for read in found]
    try:
        order = topological_order(values, edges) if edges else tuple(values)
    except CycleError as error:
        return dict(values), [_circle(error.cycle)]
    room = Room()
    done: dict[str, Any] = {}
    scope = ChainMap(done, dict(values))
    faults: list[Fault] = []
    wrong: set[str] = set()
    for name in order:
        if not wrong.isdisjoint(reads[name]):
            done[name] = values[name]
            wrong.add(name)
            continue
        done[name] = substituted(values[name], done)
        if why := room.refusal(done[name]):
            return dict(values), [((name,), why)]
        if found := [((name, *path), why) for path, why in left_over(done[name], scope, noun)]:
            faults += found
            wrong.add(name)
    return {name: done[name] for name in values}, faults


def _circle(cycle: tuple[str, ...]) -> Fault:
    """What is wrong with values in a circle, each of which the next is reckoned from."""
    first, *others = cycle
    through = f" by way of {', '.join(map(repr, reversed(others)))}" if others else ""
    return (first,), f"'{first}' may not be reckoned from itself{through}"


def _references(value: Any) -> Iterator[tuple[Path_, str]]:
    """Every reference in a value, and where it stands."""
    if isinstance(value, str) and is_reference(value):
        yield (), value
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        for path, reference in _references(item):
            yield (key, *path), reference


def _names_in(value: Any) -> Iterator[str]:
    """The names that the references in a value read."""
    for _, reference in _references(value):
        try:
            yield from names_in(reference)
        except ArithmeticFault:
            continue  # it stays, and `left_over` says why


def _why_left(reference: str, scope: Mapping[str, Any], noun: str) -> str:
    try:
        for name in names_in(reference):
            if name not in scope:
                return f"unknown name '${name}'. {suggest(name, scope, noun)}"
        substitute(reference, scope)
    except ArithmeticFault as fault:
        return str(fault)
    return f"must name a value (got {reference})"
