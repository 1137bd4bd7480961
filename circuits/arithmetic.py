"""Arithmetic in circuit files: `$width` and `$(round(64 * width))`, read through `ast`, never evaluated by Python."""

import ast
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from .characters import foreign

MAXIMAL_LENGTH = 200  # of an expression: it stays shallow, and short to work out
MAXIMAL_RESULT = 1e15  # in size: exact as a float. Options reckoned from options would grow on and on

_OPERATORS: MappingProxyType[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = MappingProxyType(
    {
        ast.Add: ("+", operator.add),
        ast.Sub: ("-", operator.sub),
        ast.Mult: ("*", operator.mul),
        ast.Div: ("/", operator.truediv),
        ast.FloorDiv: ("//", operator.floordiv),
        ast.Mod: ("%", operator.mod),
    }
)
_FUNCTIONS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType({"round": round, "min": min, "max": max})
_GRAMMAR = "an expression holds numbers, names, entries of lists such as depths[0], + - * / // %, round, min and max"
_COUNTS = "round takes one number, min and max take two or more"


class ArithmeticFault(ValueError):
    """An expression that cannot be read or worked out. The message says what must hold and what was found."""


def is_reference(value: object) -> bool:
    """True for `$name` and `$(expression)`."""
    return isinstance(value, str) and value.startswith("$") and (value[1:].isidentifier() or value[1:2] == "(")


def substitute(reference: str, scope: Mapping[str, Any]) -> Any:
    """What a reference stands for in a scope.

    `$name` becomes the value of that name, whatever it is. An expression is worked out; one with names that are out of
    scope stays an expression in those. Whole results are whole numbers. Raises ArithmeticFault.
    """
    if reference[1:].isidentifier():
        return scope.get(reference[1:], reference)
    try:
        value = _worked_out(_parsed(reference), scope)
    except ArithmeticFault:
        raise
    except (ZeroDivisionError, OverflowError, TypeError, ValueError) as error:
        raise ArithmeticFault(f"cannot be worked out: {error} (got {reference})") from None
    if isinstance(value, str):
        return f"$({value})"
    if not abs(value) <= MAXIMAL_RESULT:  # nor is what is no number
        raise ArithmeticFault(f"the result must be a finite number of at most {MAXIMAL_RESULT:g} (got {reference})")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def names_in(reference: str) -> list[str]:
    """The names that a reference reads, each once. Raises ArithmeticFault."""
    if reference[1:].isidentifier():
        return [reference[1:]]
    return list(dict.fromkeys(_names(_parsed(reference))))


def _parsed(reference: str) -> ast.expr:
    if len(reference) > MAXIMAL_LENGTH:
        raise ArithmeticFault(f"an expression has at most {MAXIMAL_LENGTH} characters (got {len(reference)})")
    if strange := foreign(reference):  # Python would take some of them for others
        raise ArithmeticFault(f"an expression is written in ASCII ({strange})")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of what is refused below, such as `1if`
            return ast.parse(reference[1:], mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ArithmeticFault(f"{_GRAMMAR} (got {reference})") from None


def _parts(node: ast.expr) -> tuple[ast.expr, ...]:
    """What an expression is made of. Raises ArithmeticFault for what the grammar does not hold."""
    match node:
        case ast.Constant(value=value) if isinstance(value, int | float) and not isinstance(value, bool):
            return ()
        case ast.Name():
            return ()
        case ast.Subscript(value=ast.Name(), slice=ast.Constant(value=int() as index)) if not isinstance(index, bool):
            return ()
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return (operand,)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return left, right
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
            if (len(args) == 1) != (name == "round"):
                raise ArithmeticFault(f"{_COUNTS} (got {ast.unparse(node)})")
            return tuple(args)
    raise ArithmeticFault(f"{_GRAMMAR} (got {ast.unparse(node)})")


def _names(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
            yield name
    for part in _parts(node):
        yield from _names(part)


def _worked_out(node: ast.expr, scope: Mapping[str, Any]) -> Any:
    """A number; or, where names are out of scope, the text of the expression that is left."""
    parts = [_worked_out(part, scope) for part in _parts(node)]
    open_ended = any(isinstance(part, str) for part in parts)
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return _number(name, scope[name]) if name in scope else name
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() as index)):
            return _number(f"{name}[{index}]", _entry(name, scope[name], index)) if name in scope else ast.unparse(node)
        case ast.UnaryOp():
            return f"-{parts[0]}" if open_ended else -parts[0]
        case ast.BinOp(op=op):
            sign, compute = _OPERATORS[type(op)]
            return f"({parts[0]} {sign} {parts[1]})" if open_ended else compute(*parts)
        case ast.Call(func=ast.Name(id=name)):
            return f"{name}({', '.join(map(str, parts))})" if open_ended else _FUNCTIONS[name](*parts)
    raise AssertionError(node)


def _entry(name: str, value: Any, index: int) -> Any:
    if not isinstance(value, list | tuple) or not 0 <= index < len(value):
        raise ArithmeticFault(f"'{name}' must be a list with an entry {index}, counted from 0 (got {value!r})")
    return value[index]


def _number(name: str, value: Any) -> Any:
    """The value of a name, or, where that is a reference itself, its text."""
    if is_reference(value):
        return value[1:]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArithmeticFault(f"'{name}' must be a number to be reckoned with (got {value!r})")
    return value
