"""Declarations: frozen, keyword-only, strict, and what they stand for."""

import json

import numpy as np
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import counterstream as cs
from counterstream.circuits.declarations import (
    Circuit,
    Constant,
    Initial,
    Kaiming,
    LearningSystem,
    Mode,
    Noise,
    Normal,
    Population,
    Projection,
    Rule,
    Samples,
    Tie,
    Uniform,
    Xavier,
    Zeros,
)
from counterstream.circuits.wiring import Conv, Dense, Pool


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (Conv, {"channels": "4", "kernel": 3}),
        (Conv, {"channels": True, "kernel": 3}),
        (Conv, {"kernel": 3.0}),
        (Conv, {"kernel": [3, 3, 3]}),
        (Conv, {"kernel": 0}),
        (Conv, {"kernel": 3, "padding": -1}),
        (Dense, {"size": 2.0}),
        (Dense, {"shared": "yes"}),
        (Pool, {"kind": "max", "size": "all"}),
        (Normal, {"deviation": "0.1"}),
        (Normal, {"deviation": float("nan")}),
        (Normal, {"deviation": 0}),
        (Noise, {"scale": float("inf")}),
        (Samples, {}),
        (Samples, {"maps": 1, "per_input": 1}),
        (Mode, {"samples": {"maps": 1}}),
        (Mode, {"one_at_a_time": "projection"}),
        (Mode, {"every": 0}),
        (Tie, {}),
        (Rule, {"dw": 3}),
        (Population, {"bias": 1}),
        (Population, {"shape": [1, 2]}),
        (Population, {"input": True}),
        (LearningSystem, {"parameters": {"decay": True}}),
        (cs.Consolidation, {"momentum": 1}),
        (cs.Consolidation, {"rate": "0.1"}),
    ],
)
def test_what_does_not_fit_is_refused(make: type[BaseModel], values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nesterov": True}, "nesterov needs a momentum above 0"),
        ({"nesterov": True, "momentum": 0.0}, "nesterov needs a momentum above 0"),
        ({"optimizer": "adamw", "momentum": 0.9}, "adamw has no momentum: it takes rate, betas, epsilon"),
        ({"optimizer": "adamw", "momentum": 0.9, "nesterov": True}, "adamw has no momentum, nesterov"),
        ({"betas": (0.9, 0.99)}, "sgd has no betas: it takes rate, momentum, nesterov"),
        ({"optimizer": "sgd", "epsilon": 1e-6}, "sgd has no epsilon"),
    ],
)
def test_consolidation_refuses_settings_that_it_would_ignore(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        cs.Consolidation(**values)  # type: ignore[arg-type]


def test_nothing_mutates() -> None:
    with pytest.raises(ValidationError):
        Dense(size=3).size = 4  # type: ignore[misc]


def test_one_number_stands_for_both_sides_or_for_a_row() -> None:
    assert Conv(kernel=3).kernel == (3, 3)
    assert Population(input=7).input == (7,)


def test_initial_weights_have_the_deviation_they_declare() -> None:
    rng, shape = np.random.default_rng(0), (200, 300)
    deviations = {
        Kaiming(): np.sqrt(2 / 300),
        Kaiming(fan="out", gain=1.0): np.sqrt(1 / 200),
        Xavier(): np.sqrt(2 / 500),
        Normal(deviation=0.3): 0.3,
        Uniform(bound=0.6): 0.6 / np.sqrt(3),
    }
    for initial, deviation in deviations.items():
        drawn = initial.draw(rng, shape, 300, 200)
        assert drawn.shape == shape
        assert drawn.std() == pytest.approx(deviation, rel=0.02)
        assert abs(drawn.mean()) < 5 * deviation / np.sqrt(drawn.size)
    assert Normal(mean=2.0, deviation=0.1).draw(rng, shape, 300, 200).mean() == pytest.approx(2.0, abs=0.01)
    assert (Constant(value=0.5).draw(rng, shape, 300, 200) == 0.5).all()
    assert (Zeros().draw(rng, shape, 300, 200) == 0).all()


def test_choices_are_read_bare_or_with_their_keys() -> None:
    initial = TypeAdapter(Initial)
    assert initial.validate_python("xavier") == Xavier()
    assert initial.validate_python({"normal": {"deviation": 0.1}}) == Normal(deviation=0.1)
    assert initial.validate_python({"zeros": None}) == Zeros()
    assert initial.dump_python(Xavier(), mode="json") == "xavier"
    assert initial.dump_python(Normal(deviation=0.1), mode="json") == {"normal": {"deviation": 0.1}}


def test_rules_are_read_bare_or_with_their_keys() -> None:
    assert Rule.model_validate("w") == Rule(dw="w")
    assert Rule(dw="w").model_dump(mode="json") == "w"
    assert Rule(dw="w", positions="mean").model_dump(mode="json", exclude_defaults=True) == {
        "dw": "w",
        "positions": "mean",
    }


def test_labels_and_ties() -> None:
    assert Projection.model_validate({"from": "a", "to": "b"}).label == "a->b"
    tie = Tie(sign_of="p")
    assert (tie.kind, tie.owner) == ("sign_of", "p")


@pytest.mark.parametrize("model", [Circuit, LearningSystem])
def test_the_json_schema_knows_the_short_forms(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    assert {"type": "string"} in schema["$defs"]["Rule"]["anyOf"]
    text = json.dumps(schema)
    for word in ['"const": "flatten"', '"one_to_one"', '"const": "kaiming"'] if model is Circuit else ['"reciprocal"']:
        assert word in text


def test_the_json_schema_knows_pools_and_dropout() -> None:
    schema = Circuit.model_json_schema()
    dropout = schema["$defs"]["Population"]["properties"]["dropout"]
    assert (dropout["minimum"], dropout["exclusiveMaximum"], dropout["default"]) == (0, 1, 0.0)
    text = json.dumps(schema)
    assert '"ceil": {"default": false' in text
    pool = Pool.model_json_schema()
    assert pool["required"] == ["kind"]
    assert {"size", "to", "stride", "padding", "ceil"} <= pool["properties"].keys()


def test_pools_are_written_as_they_are_read() -> None:
    for said in (
        {"kind": "average", "to": 7},
        {"kind": "average", "to": [1, 7]},
        {"kind": "average", "size": "global"},
        {"kind": "max", "size": 3, "stride": 2, "ceil": True},
    ):
        pool = Pool.model_validate(said)
        assert pool.model_dump(mode="json", by_alias=True, exclude_defaults=True) == said
