"""What can be said about an expression without data: its text, what it reads, its value on padding."""

from decimal import Context, Decimal
from fractions import Fraction

from .evaluate import evaluate
from .expression import (
    Call,
    Expression,
    Number,
    Parameter,
    Power,
    Product,
    Signal,
    Sum,
    Term,
    multiply,
    negate,
    power,
    signals_of,
    walk,
)


def to_text(expression: Expression) -> str:
    """The expression as a rule's text. What `parse_rule` returned reads back to an equal expression, unless
    it is so near the grammar's caps that the text written out exceeds them.

    >>> to_text(Sum((Product((Number(Fraction(-1)), Signal("post", "rate"))), Parameter("decay"))))
    '-post.rate + decay'
    """
    match expression:
        case Number(value):
            return _number_text(value)
        case Parameter(name):
            return name
        case Signal():
            return str(expression)
        case Call(function, argument):
            return f"{function}({to_text(argument)})"
        case Power(base, exponent):
            if exponent < 0:
                return f"1 / {_factor_text(power(base, -exponent))}"
            return f"{_base_text(base)}**{exponent}"
        case Product(factors):
            return _product_text(factors)
        case Sum(terms):
            return _sum_text(terms)


def reads(expression: Expression) -> frozenset[Signal]:
    """The signals that the rule reads, its own weight included."""
    return signals_of(expression)


def uses_centre(expression: Expression) -> bool:
    """True where the rule needs a mean over the batch, which exempts it from batch splitting."""
    return any(isinstance(part, Call) and part.function == "centre" for part in walk(expression))


def vanishes_at_zero(expression: Expression) -> bool:
    """True where the bound expression (no parameters left) is 0 when every signal is 0, as on padding.

    A `pre` for which this is False, or an absent one, must mask the taps that see padding: a synapse onto
    padding does not exist. `centre` never vanishes: zero less the mean is not zero.
    """
    if uses_centre(expression):
        return False
    return evaluate(expression, dict.fromkeys(signals_of(expression), 0.0)) == 0.0


def term_text(term: Term) -> str:
    """A separable term as text, its coefficient in front.

    >>> term_text(Term(-1.0, pre=Signal("pre", "rate"), post=Signal("post", "apical")))
    '-post.apical * pre.rate'
    """
    sides = (side for side in (term.modulator, term.post, term.pre, term.weight) if side is not None)
    return to_text(multiply(Number(Fraction(repr(term.coefficient))), *sides))


def _sum_text(terms: tuple[Expression, ...]) -> str:
    text = to_text(terms[0])
    for term in terms[1:]:
        if not _is_negative(term):
            text += f" + {to_text(term)}"
        elif isinstance(rest := negate(term), Sum):
            text += f" - ({to_text(rest)})"
        else:
            text += f" - {to_text(rest)}"
    return text


def _product_text(factors: tuple[Expression, ...]) -> str:
    """The factors in their order, negative powers as divisions; a leading -1 as a sign."""
    first, rest = factors[0], factors[1:]
    if first == Number(Fraction(-1)) and not _is_reciprocal(rest[0]):
        return "-" + _product_text(rest)
    text = to_text(first) if _is_reciprocal(first) else _factor_text(first)
    for factor in rest:
        if isinstance(factor, Power) and factor.exponent < 0:
            text += f" / {_factor_text(power(factor.base, -factor.exponent))}"
        else:
            text += f" * {_factor_text(factor)}"
    return text


def _factor_text(expression: Expression) -> str:
    """Text that binds at least as tightly as a factor: sums, products and fractions in parentheses."""
    text = to_text(expression)
    loose = isinstance(expression, Sum | Product) or (isinstance(expression, Number) and " " in text)
    return f"({text})" if loose else text


def _base_text(base: Expression) -> str:
    """Text that binds more tightly than a power: `-2**2` would be -(2**2)."""
    text = to_text(base)
    tight = isinstance(base, Parameter | Signal | Call) or (
        isinstance(base, Number) and text[0] != "-" and " " not in text
    )
    return text if tight else f"({text})"


def _is_negative(term: Expression) -> bool:
    number = term.factors[0] if isinstance(term, Product) else term
    return isinstance(number, Number) and number.value < 0


def _is_reciprocal(expression: Expression) -> bool:
    return isinstance(expression, Power) and expression.exponent < 0


def _number_text(value: Fraction) -> str:
    """The shortest decimal that is exactly the number; a fraction that has no decimal (1/3) as a quotient."""
    if value.denominator == 1 and abs(value) < 10**15:
        return str(value.numerator)
    try:
        shortest = repr(float(value))
        if Fraction(shortest) == value:
            return shortest
    except (OverflowError, ValueError):
        pass  # beyond the floats: written out below
    digits = Context(prec=max(50, len(str(value.numerator)) + value.denominator.bit_length()))
    exact = digits.divide(Decimal(value.numerator), Decimal(value.denominator))
    return str(exact) if Fraction(exact) == value else f"{value.numerator} / {value.denominator}"
