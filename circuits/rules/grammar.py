"""Text -> expression. Read through `ast` with a whitelist; nothing is evaluated, looked up or imported.

    rule     = sum of products of powers: + - * / ** ( ), unary + and -
    atom     = number | pre.rate ... | w | parameter | mod.NAME | function(rule)

Denominators hold numbers and parameters only, exponents are small whole numbers, and a function takes
things of one side: these three keep every rule a sum of separable terms c * f(pre) * g(post) * h(w). They
are checked on what was written, before anything can cancel (`pre.rate * post.rate / pre.rate` is refused,
not read as `post.rate`).
"""

import ast
from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache

from ..errors import CircuitError, Location, Problem, suggest
from .binding import bind
from .compartments import RuleKind
from .expression import (
    Call,
    Expression,
    Number,
    Parameter,
    Power,
    add,
    children,
    multiply,
    negate,
    parameters_of,
    power,
    signals_of,
)
from .functions import FUNCTIONS
from .lexical import Misfit, check_text, excerpt, read_number
from .vocabulary import Vocabulary

MAX_DEPTH = 100  # of the syntax tree; a sum of n terms is n deep
MAX_NODES = 1500
MAX_EXPONENT = 8  # exponents of nested powers multiplied

_NOWHERE = Location()
_ONE_SIDE = {"partner": "own", "reverse": "w"}  # neurons that are partners, and weights of one pair of synapses
_UNREADABLE = Parameter("?")  # stands for what was refused, so that reading goes on to the next problem


def parse_rule(
    text: str,
    *,
    kind: RuleKind,
    parameters: Collection[str],
    modulators: Collection[str] = (),
    noise: bool = False,
    location: Location = _NOWHERE,
    path: str = "",
) -> Expression:
    """Read one rule, a scalar equation for dw.

    `kind` decides which signals it may name (`compartments.visible_signals`); `noise` adds `pre.noise` and
    `post.noise`; `modulators` are the NAMEs of `mod.NAME`. `location` is the place of the text's first
    character, `path` the declared path to it. Raises `CircuitError` with every wrong name in the text, each
    at its own column.
    """
    expression, misfits = _read(text, kind, tuple(parameters), tuple(modulators), noise)
    if misfits:
        raise CircuitError(_problem(misfit, text, location, path) for misfit in misfits)
    return expression


@lru_cache(maxsize=1024)  # a deep network states the same few rules at hundreds of projections
def _read(
    text: str, kind: RuleKind, parameters: tuple[str, ...], modulators: tuple[str, ...], noise: bool
) -> tuple[Expression, tuple[Misfit, ...]]:
    """The expression, and what in the text does not fit, in the order of the text."""
    reader = _Reader(text, Vocabulary(kind, parameters=parameters, modulators=modulators, noise=noise))
    expression = reader.read()
    return expression, tuple(sorted(reader.misfits, key=lambda misfit: misfit.offset))


def _problem(misfit: Misfit, text: str, location: Location, path: str) -> Problem:
    """A misfit with its place in the file; where no column is known (folded text), the message says it."""
    if location.line and location.column and "\n" not in text:
        return Problem(misfit.message, path, replace(location, column=location.column + misfit.offset))
    return Problem(f"{misfit.message} (at character {misfit.offset + 1} of the rule)", path, location)


class _Reader:
    """Walks one syntax tree. Each `_read` returns an expression, or notes a misfit and returns a stand-in."""

    def __init__(self, text: str, vocabulary: Vocabulary):
        self.text = text
        self.start = len(text) - len(text.lstrip())
        self.vocabulary = vocabulary
        self.misfits = [
            Misfit(f"the parameter '{name}' bears a reserved word; choose another name", 0)
            for name in vocabulary.reserved
        ]

    def read(self) -> Expression:
        # `ast` refuses leading spaces and line breaks, which YAML may well leave; each becomes a space.
        line = "".join(" " if character.isspace() else character for character in self.text)
        try:
            check_text(self.text)
            tree = ast.parse(line.strip(), mode="eval").body
        except Misfit as misfit:
            return self._refuse(misfit.message, misfit.offset)
        except SyntaxError as error:
            offset = self.start + max(0, (error.offset or 1) - 1)
            found = excerpt(self.text, offset)
            return self._refuse(f"{found} is no equation: an operator or a name is missing", offset)
        except (RecursionError, MemoryError):  # how CPython answers a thousand signs in a row
            return self._refuse("the rule nests too deeply", self.start)
        depth, nodes = _measure(tree)
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            return self._refuse(f"the rule is too large: at most {MAX_DEPTH} levels and {MAX_NODES} parts", self.start)
        return self._read(tree)

    def _read(self, node: ast.expr) -> Expression:
        match node:
            case ast.Constant(value=int() | float()):
                return self._number(node)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.Attribute(value=ast.Name(id=owner), attr=attribute):
                return self._name(node, f"{owner}.{attribute}")
            case ast.Attribute():
                return self._refuse(f"'{self._source(node)}' is no name; names have the form pre.rate", node)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._read(operand)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return negate(self._read(operand))
            case ast.BinOp():
                return self._operation(node)
            case ast.Call():
                return self._call(node)
            case _:
                return self._refuse(
                    f"'{self._source(node)}' is nothing that a rule may hold: numbers, names, + - * / **, functions",
                    node,
                )

    def _number(self, node: ast.Constant) -> Expression:
        try:
            return Number(read_number(self.text, self._offset(node)))
        except Misfit as misfit:
            return self._refuse(misfit.message, misfit.offset)

    def _operation(self, node: ast.BinOp) -> Expression:
        if isinstance(node.op, ast.Pow):
            return self._power(node)
        left, right = self._read(node.left), self._read(node.right)
        match node.op:
            case ast.Add():
                return add(left, right)
            case ast.Sub():
                return add(left, negate(right))
            case ast.Mult():
                return multiply(left, right)
            case ast.Div():
                return multiply(left, self._reciprocal(right, 1, node.right))
            case _:
                return self._refuse(f"'{self._source(node)}': rules know + - * / and **, no other operator", node)

    def _power(self, node: ast.BinOp) -> Expression:
        base = self._read(node.left)
        match node.right:
            case ast.Constant(value=int(exponent)):
                pass
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(exponent))):
                exponent = -exponent
            case _:
                found = self._source(node.right)
                return self._refuse(f"the exponent '{found}' must be a whole number up to {MAX_EXPONENT}", node.right)
        if max(1, abs(exponent)) * _reach(base) > MAX_EXPONENT:
            found = self._source(node)
            return self._refuse(
                f"the exponent of '{found}' exceeds {MAX_EXPONENT} (exponents of powers multiply)", node
            )
        return self._reciprocal(base, -exponent, node.left) if exponent < 0 else power(base, exponent)

    def _reciprocal(self, base: Expression, exponent: int, node: ast.expr) -> Expression:
        """1 / base**exponent, where the base may stand in a denominator."""
        found = self._source(node)
        if signals := signals_of(base):
            names = ", ".join(sorted(map(str, signals)))
            return self._refuse(
                f"division by '{found}', which holds {names}: a signal may be zero, "
                "so denominators hold numbers and parameters only",
                node,
            )
        reciprocal = power(base, -exponent)
        if not parameters_of(base):
            try:
                bind(reciprocal, {})
            except CircuitError as error:
                return self._refuse(error.problems[0].message, node)
        return reciprocal

    def _call(self, node: ast.Call) -> Expression:
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
                pass
            case _:
                found = self._source(node.func)
                return self._refuse(f"unknown function '{found}'. {suggest(found, FUNCTIONS, 'functions')}", node)
        if len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
            return self._refuse(f"'{self._source(node)}': {name} takes exactly one argument, without a keyword", node)
        argument = self._read(node.args[0])
        present = {_ONE_SIDE.get(signal.side, signal.side) for signal in signals_of(argument)}
        sides = [side for side in ("pre", "post", "own", "w", "mod") if side in present]
        found = self._source(node)
        if len(sides) > 1:
            self._refuse(
                f"{found} mixes {' and '.join(sides)}: a function takes things of one side only, so that "
                "the rule stays a sum of separable terms",
                node,
            )
        elif name == "centre" and sides not in (["pre"], ["post"]) and not parameters_of(argument) & {_UNREADABLE.name}:
            self._refuse(f"{found}: centre takes a signal of pre or of post", node)
        return Call(name, argument)

    def _name(self, node: ast.expr, name: str) -> Expression:
        found = self.vocabulary.find(name)
        return self._refuse(self.vocabulary.why_unknown(name), node) if found is None else found

    def _refuse(self, message: str, place: ast.expr | int) -> Expression:
        self.misfits.append(Misfit(message, place if isinstance(place, int) else self._offset(place)))
        return _UNREADABLE

    def _offset(self, node: ast.expr) -> int:
        return self.start + node.col_offset  # one line and ASCII only, so bytes are characters

    def _source(self, node: ast.expr) -> str:
        assert node.end_col_offset is not None
        return self.text[self._offset(node) : self.start + node.end_col_offset]


def _measure(tree: ast.expr) -> tuple[int, int]:
    """Depth and number of expression nodes, without recursion."""
    depth, nodes, waiting = 0, 0, [(tree, 1)]
    while waiting:
        node, level = waiting.pop()
        depth, nodes = max(depth, level), nodes + 1
        waiting += [(child, level + 1) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    return depth, nodes


def _reach(expression: Expression) -> int:
    """The largest product of exponents along any path into the expression."""
    inner = max(map(_reach, children(expression)), default=1)
    return max(1, abs(expression.exponent)) * inner if isinstance(expression, Power) else inner
