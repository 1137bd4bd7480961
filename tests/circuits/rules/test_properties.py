"""For every rule text and tree are inverse and the normal form has its value; other text is refused."""

import contextlib
import math
import random
from fractions import Fraction

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from counterstream.circuits.errors import CircuitError
from counterstream.circuits.rules import (
    FUNCTIONS,
    Call,
    Number,
    Parameter,
    Power,
    Signal,
    add,
    children,
    evaluate,
    multiply,
    negate,
    normal_form,
    parse_rule,
    power,
    split_decay,
    to_text,
    visible_signals,
)

PARAMETERS = {"decay": 0.25, "theta": 0.7, "variance": 3.0}
CONTINUOUS = ("relu", "abs", "tanh", "sigmoid")  # so that one unit in the last place moves no value far
VISIBLE = {**visible_signals("synapse", noise=True), "mod.reward": Signal("mod", "reward")}
SIDES = [[s for s in VISIBLE.values() if s.side == side] for side in ("pre", "post", "w", "mod")]

numbers = st.decimals("-9", "9", places=2).map(lambda value: Number(Fraction(value)))
parameters = st.sampled_from(sorted(PARAMETERS)).map(Parameter)


def compounds(parts):
    """Sums, products, negatives and small powers of parts."""
    return st.one_of(
        st.lists(parts, min_size=2, max_size=3).map(lambda terms: add(*terms)),
        st.lists(parts, min_size=2, max_size=3).map(lambda factors: multiply(*factors)),
        parts.map(negate),
        st.builds(power, parts, st.integers(0, 3)),
    )


positive = st.one_of(parameters, st.decimals("0.5", "9", places=2).map(lambda value: Number(Fraction(value))))
denominators = st.recursive(
    positive,
    lambda parts: st.lists(parts, min_size=2, max_size=2).map(lambda terms: add(*terms)),
    max_leaves=3,
)
reciprocals = st.builds(power, denominators, st.integers(-2, -1))


def one_sided(functions):
    """Calls of functions of one side, nested at times."""

    def of(signals):
        leaves = st.one_of(st.sampled_from(signals), numbers, parameters, reciprocals)
        calls = lambda parts: st.builds(Call, st.sampled_from(functions), parts)
        inside = st.recursive(leaves, lambda parts: compounds(parts) | calls(parts), max_leaves=4)
        return calls(inside)

    return st.sampled_from(SIDES).flatmap(of)


def rules(functions=CONTINUOUS):
    """Every expression that the grammar can write, in the one spelling that it gives."""
    leaves = st.one_of(st.sampled_from(list(VISIBLE.values())), numbers, parameters, reciprocals, one_sided(functions))
    return st.recursive(leaves, compounds, max_leaves=8).filter(lambda rule: reach(rule) <= 8)


def reach(expression):
    inner = max(map(reach, children(expression)), default=1)
    return max(1, abs(expression.exponent)) * inner if isinstance(expression, Power) else inner


def read(text):
    return parse_rule(text, kind="synapse", parameters=PARAMETERS, modulators=["reward"], noise=True)


@given(rules(tuple(name for name in FUNCTIONS if name != "centre")))
@example(Number(Fraction(1, 2**100)))
@example(Power(Number(Fraction(-2)), 2))
@example(multiply(Number(Fraction(-1)), Power(Parameter("theta"), -2), Signal("w")))
@example(negate(add(Signal("w"), negate(add(Signal("w"), Parameter("theta"))))))
def test_text_and_expression_are_inverse(rule):
    assert read(to_text(rule)) == rule


def terms_of(rule):
    """The normal form; rules that expand beyond the cap are not what these properties speak of."""
    try:
        return normal_form(rule, PARAMETERS)
    except CircuitError as error:
        if "more than 64 terms" not in str(error):
            raise
        reject()


@given(rules(), st.data())
def test_the_normal_form_has_the_value_of_the_rule(rule, data):
    values = {signal: data.draw(st.floats(-2, 2), label=name) for name, signal in VISIBLE.items()}
    terms = terms_of(rule)
    parts = [value_of(term, values) for term in terms]
    scale = 1 + sum(map(abs, parts)) + magnitude(rule, values)
    assert math.isclose(sum(parts), evaluate(rule, values, PARAMETERS), abs_tol=1e-11 * scale)


def value_of(term, values):
    sides = (side for side in (term.pre, term.post, term.weight, term.modulator) if side is not None)
    return math.prod((evaluate(side, values) for side in sides), start=term.coefficient)


def magnitude(expression, values):
    """What the expression would come to if nothing cancelled: the scale of its rounding error."""
    match expression:
        case Power(base, exponent) if exponent > 0:
            return magnitude(base, values) ** exponent
        case Number() | Parameter() | Signal() | Power():
            return abs(evaluate(expression, values, PARAMETERS))
        case Call(_, argument):
            return 1 + magnitude(argument, values)
    parts = [magnitude(part, values) for part in children(expression)]
    return math.prod(parts) if type(expression).__name__ == "Product" else sum(parts)


@given(rules())
def test_terms_are_distinct_separable_and_bound(rule):
    terms = terms_of(rule)
    assert len({(t.pre, t.post, t.weight, t.modulator) for t in terms}) == len(terms) <= 64
    assert all(term.coefficient for term in terms)
    for term in terms:
        for sides, part in (
            ({"pre"}, term.pre),
            ({"post"}, term.post),
            ({"w", "reverse"}, term.weight),
            ({"mod"}, term.modulator),
        ):
            assert part is None or {s.side for s in signals_in(part)} <= sides
    drive, decay = split_decay(terms)
    assert len(terms) - len(drive) == (decay != 0)


def signals_in(expression):
    if isinstance(expression, Signal):
        return {expression}
    assert not isinstance(expression, Parameter)
    return set().union(*map(signals_in, children(expression)))


@given(rules(), st.randoms(use_true_random=False))
def test_the_order_of_writing_does_not_matter(rule, shuffler):
    terms = terms_of(rule)
    assert normal_form(shuffled(rule, shuffler), PARAMETERS) == terms


def shuffled(expression, shuffler):
    match expression:
        case Power(base, exponent):
            return power(shuffled(base, shuffler), exponent)
        case Call(name, argument):
            return Call(name, shuffled(argument, shuffler))
    parts = [shuffled(part, shuffler) for part in children(expression)]
    shuffler.shuffle(parts)
    if not parts:
        return expression
    return add(*parts) if type(expression).__name__ == "Sum" else multiply(*parts)


NAMES = "pre.rate post.rate post.apical pre . rate w decay theta mod.reward v2.rate _ __class__ lambda if not in"
MARKS = "relu( tanh( centre( exp( ( ) ) ) + - * / ** , = == := [ ] { } ' \" : ; # \\ .. . @ % & | ~"
NUMBERS = "1 2 8 -1 0 0.5 1e-3 1e400 007"
TOKENS = [*NAMES.split(), *MARKS.split(), *NUMBERS.split(), *"\n\t\x00é\u202e\u00a0"]


@pytest.mark.parametrize("seed", range(4))
def test_random_soup_is_refused_or_read_and_nothing_else(seed):
    soup, accepted = random.Random(seed), 0
    for _ in range(1500):
        glue = soup.choice(("", " "))
        text = glue.join(soup.choices(TOKENS, k=soup.randint(1, 9)))
        accepted += survives(text)
    assert accepted > 5  # the soup reaches the language, too


@given(st.text())
def test_random_text_is_refused_or_read_and_nothing_else(text):
    survives(text)


def survives(text):
    """Whether the text is a rule, which must come back from its own text; else it must raise CircuitError."""
    try:
        rule = read(text)
    except CircuitError:
        return False
    assert read(to_text(rule)) == rule
    with contextlib.suppress(CircuitError):
        normal_form(rule, PARAMETERS)
    return True
