"""The checks of one stage speak together, in order; a later stage is silent until the earlier ones are content."""

import re
from collections.abc import Callable, Iterator

import pytest

import counterstream as cs
from counterstream.circuits.checks.cross_projections import check_cross_projections
from counterstream.circuits.checks.declared import Declared
from counterstream.circuits.checks.initials import check_initials
from counterstream.circuits.checks.modes import check_mode_names, check_modes
from counterstream.circuits.checks.parameters import check_parameters
from counterstream.circuits.checks.populations import check_populations
from counterstream.circuits.checks.projections import check_projections
from counterstream.circuits.errors import Problem
from counterstream.circuits.graph import build_graph
from counterstream.circuits.validation import build
from counterstream.circuits.yamlfile import Document


def declared(**data: object) -> Declared:
    document = Document({"name": "c", **data})
    return Declared.of(build(cs.Circuit, document), document)


WRONG_NAMES = declared(
    populations={"x": {"input": 3}, "h": {"transfer": "relo"}, "h~": {"partner": "nobody"}},
    projections=[
        {"from": "x", "to": "nowhere", "wiring": "flatten"},
        {"name": "p", "from": "x", "to": "h", "wiring": "flatten", "modes": ["asleep"], "weights": {"same_as": "q"}},
        {"name": "p", "from": "x", "to": "h", "wiring": "flatten"},
    ],
    cross=[{"from": "x", "to": "h", "carries": "rate", "role": "teach"}],
    parameters={"w": 1},
    modes={"bad name": {}},
)
IN_ORDER = (
    r"unknown transfer function 'relo'",
    r"unknown population 'nobody'",
    r"two projections must not share the name 'p'",
    r"unknown population 'nowhere'",
    r"a tie must name another projection \(got 'q'\)",
    r"a cross-projection joins partners \(got x -> h\)",
    r"unknown mode 'asleep'",
    r"'w' has a meaning in rules already",
    r"a mode's name must consist of ASCII",
)


def test_all_that_names_tell_comes_at_once_in_the_order_of_the_checks() -> None:
    with pytest.raises(cs.CircuitError) as caught:
        build_graph(WRONG_NAMES.circuit)  # without a file nothing has a place to be sorted by
    found = [problem.message for problem in caught.value.problems]
    assert len(found) == len(IN_ORDER)
    for message, expected in zip(found, IN_ORDER, strict=True):
        assert re.match(expected, message)


@pytest.mark.parametrize(
    ("check", "count"),
    [
        (check_populations, 2),
        (check_projections, 3),
        (check_cross_projections, 1),
        (check_modes, 1),
        (check_parameters, 1),
        (check_mode_names, 1),
    ],
)
def test_a_check_says_the_same_each_time(check: Callable[[Declared], Iterator[Problem]], count: int) -> None:
    first = list(check(WRONG_NAMES))
    assert len(first) == count
    assert list(check(WRONG_NAMES)) == first


def test_shapes_are_judged_only_where_names_are_right() -> None:
    populations = {"x": {"input": 3}, "h": {"shape": 4, "transfer": "relo"}, "k": {}}
    projection = {"from": "x", "to": "h", "wiring": {"dense": {"size": 5}}}
    wrong = declared(populations=populations, projections=[projection])
    with pytest.raises(cs.CircuitError) as caught:
        build_graph(wrong.circuit)
    assert len(caught.value.problems) == 1
    mended = declared(populations={**populations, "h": {"shape": 4}}, projections=[projection])
    with pytest.raises(cs.CircuitError) as caught:
        build_graph(mended.circuit)
    assert [problem.message.split(",")[0] for problem in caught.value.problems] == [
        "dense 'size' must be the target's 4 (got 5)",
        "a population needs an input shape",
    ]


def test_of_several_with_one_label_or_partner_the_first_counts() -> None:
    found = declared(
        populations={"h": {}, "a~": {"partner": "h"}, "b~": {"partner": "h"}},
        projections=[{"from": "x", "to": "h", "wiring": "flatten"}, {"from": "x", "to": "h", "wiring": "one_to_one"}],
    )
    assert found.places == {"x->h": ("projections", 0)}
    assert found.projections["x->h"] is found.circuit.projections[0]
    assert found.partners == {"h": "a~"}
    assert [p.message for p in check_populations(found)] == [
        "a forward population has one partner ('h' has 'a~' already)"
    ]


def test_initial_biases_need_biases() -> None:
    found = declared(populations={"h": {"initial_bias": 0.5}}, projections=[])
    assert list(check_initials(found, lambda name: True)) == []
    (problem,) = check_initials(found, lambda name: False)
    assert problem.message.startswith("'initial_bias' belongs to a population with biases (got 0.5)")
