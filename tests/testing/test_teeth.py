"""Rules that are known to be wrong: the properties that they lack fail, no others, by numbers that are checked here.

Each counterexample is as small as one can be, and is given in full.
"""

from typing import Any

import numpy as np
import pytest

from counterstream.circuits.declarations import Claims, LearningSystem
from counterstream.engine.backends.registry import load_engine
from counterstream.models.library import load_learning
from counterstream.testing import Counterexample, Outcome, try_property, try_rule
from counterstream.testing.properties import same_on_every_engine

OF_RULES = (
    "locality",
    "batch_permutation",
    "batch_splitting",
    "fan_in_additivity",
    "rate_linearity",
    "sign_equivariance",
    "boundedness",
)
OF_SYSTEMS = ("no_transport", "decay_of_difference", "transpose_convergence", "descent")


def failing(outcomes: list[Outcome]) -> dict[str, Counterexample]:
    """The counterexamples, by property. What does not apply neither holds nor fails."""
    return {o.property: o.counterexample for o in outcomes if o.counterexample is not None}


def only(found: dict[str, Counterexample], name: str) -> Counterexample:
    assert found.keys() == {name}
    return found[name]


def kolen_pollack(**rules: str) -> LearningSystem:
    """Kolen-Pollack with a decay that shows in a few hundred steps, and with other rules."""
    return changed("kolen_pollack", "engaged", {"decay": 0.1}, **rules)


def changed(name: str, mode: str, parameters: dict[str, float], **rules: Any) -> LearningSystem:
    """A stock system with other rules in one mode, without its claims."""
    data = load_learning(name).model_dump(by_alias=True, exclude_defaults=True)
    del data["claims"]
    data["modes"][mode] |= rules
    return LearningSystem.model_validate({**data, "parameters": {**data["parameters"], **parameters}})


# ---- synapses


def subtractive(pre: Any, post: Any, w: np.ndarray) -> np.ndarray:
    """Hebb less the mean over the neuron's other synapses: each needs to know all."""
    hebb = post.rate.T @ pre.rate / len(post.rate)
    return hebb - hebb.mean(axis=1, keepdims=True)


def test_a_synapse_that_knows_its_neighbours_is_not_local() -> None:
    found = only(
        failing(try_rule(subtractive, [name for name in OF_RULES if name != "boundedness"], examples=24)), "locality"
    )
    assert found.given["w"] == [[0.0, 0.0]]
    (x,), ((y,),) = found.given["pre.rate"], found.given["post.rate"]
    (synapse, before), change = *found.expected.items(), list(found.given)[-1]
    own, other = (0, 1) if synapse == "dw[0, 0]" else (1, 0)
    assert change == f"then pre.rate[0, {other}]"
    assert before == y * (x[own] - x[other]) / 2
    assert found.got[synapse] == y * (x[own] - found.given[change]) / 2
    assert {abs(y), abs(found.given[change] - x[other])} == {1.0}


def recency(pre: Any, post: Any, w: np.ndarray) -> np.ndarray:
    """Later samples count more."""
    weight = np.arange(1, len(pre.rate) + 1)[:, None]
    return post.rate.T @ (weight * pre.rate) / weight.sum()


def test_a_rule_that_counts_later_samples_more_has_an_order() -> None:
    found = failing(try_rule(recency, ["locality", "batch_permutation", "rate_linearity"]))
    found = only(found, "batch_permutation")
    (x1,), (x2,) = found.given["pre.rate"]
    (y1,), (y2,) = found.given["post.rate"]
    assert found.given["order"] == [1, 0]
    assert found.expected["dw"] == [[pytest.approx((y1 * x1 + 2 * y2 * x2) / 3)]]
    assert found.got["dw"] == [[pytest.approx((y2 * x2 + 2 * y1 * x1) / 3)]]


def test_a_mean_over_the_batch_inside_a_rule_breaks_splitting() -> None:
    found = only(failing(try_rule("pre.rate * centre(post.rate)", [n for n in OF_RULES if n != "boundedness"])),
                 "batch_splitting")  # fmt: skip
    assert found.given["dw of the first 1"] == found.given["dw of the other 1"] == [[0.0]]
    (x1,), (x2,) = found.given["pre.rate"]
    (y1,), (y2,) = found.given["post.rate"]
    mean = (y1 + y2) / 2
    assert found.expected["dw of all"] == [[0.0]]
    assert found.got["dw of all"] == [[(x1 * (y1 - mean) + x2 * (y2 - mean)) / 2]]


def test_a_rule_that_sees_only_the_sign_of_an_error_is_not_additive() -> None:
    found = only(
        failing(try_rule("-sign(post.apical) * pre.rate - 0.1 * w", OF_RULES, examples=24)), "fan_in_additivity"
    )
    assert (found.given["pre.rate"], found.given["w"]) == ([[1.0]], [[0.0]])
    assert (found.given["post.apical"], found.given["more post.apical"]) == ([[1.0]], [[1.0]])
    assert (found.expected["dw of both"], found.got["dw of both"]) == ([[-2.0]], [[-1.0]])


def test_a_cube_is_not_linear() -> None:
    found = only(failing(try_rule("-post.apical * pre.rate**3 - 0.1 * w", OF_RULES, examples=24)), "rate_linearity")
    (x,), (y,), a = *found.given["pre.rate"], *found.given["post.apical"], found.given["a"]
    assert abs(x) == abs(y) == 1.0
    assert abs(a) == 2.0
    assert abs(found.got["dw at a * pre"][0][0]) == 8.0
    assert abs(found.expected["dw at a * pre"][0][0]) == 2.0


def test_a_constant_prefers_one_sign() -> None:
    found = only(failing(try_rule("1 - post.apical * pre.rate - 0.1 * w", OF_RULES, examples=24)), "sign_equivariance")
    assert (found.given["pre.rate"], found.given["post.apical"], found.given["w"]) == ([[0.0]], [[0.0]], [[0.0]])
    assert (found.expected["dw then"], found.got["dw then"]) == ([[-1.0]], [[1.0]])


def test_plain_hebb_diverges() -> None:
    found = only(failing(try_rule("post.rate * pre.rate", OF_RULES, examples=24)), "boundedness")
    assert (found.given["pre.rate"], found.given["w"], found.given["rate"]) == ([[1.0]], [[1.0]], 0.1)
    steps = 32  # the first power of 1.1 above 20
    assert found.given["w after 2"] == [[pytest.approx(1.1**2)]]
    assert 1.1 ** (steps - 1) <= 20 < found.got[f"|w| after {steps}"] == pytest.approx(1.1**steps)


def test_what_grows_slowly_is_unbounded_as_well() -> None:
    found = only(failing([try_property("0.001 * post.rate * pre.rate", "boundedness")]), "boundedness")
    assert found.given["rate"] == 100
    assert found.given["w after 2"] == [[pytest.approx(1.1**2)]]
    leakless = changed("gain_and_leak_mirror", "mirror", {}, feedback="gain * post.rate * pre.rate")
    found = only(failing([try_property(leakless, "boundedness", rules=["mirror.feedback"])]), "boundedness")
    assert found.given["w after 2"] == [[pytest.approx(0.2)]]
    rule = {"dw": "alpha * post.apical * pre.rate", "positions": "mean", "consolidation": "addition"}  # amp alone
    amplifying = changed("information_alignment", "align", {}, feedback=rule)
    assert only(failing([try_property(amplifying, "boundedness", rules=["align.feedback"])]), "boundedness")


def test_a_fixed_point_of_the_wrong_sign_is_none() -> None:
    outcome = try_property("-post.apical * pre.rate - 0.5 * w", "fixed_point", w="post.apical * pre.rate / 0.5")
    found = only(failing([outcome]), "fixed_point")
    assert (found.given["pre.rate"], found.given["post.apical"], found.given["w*"]) == ([[1.0]], [[1.0]], [[2.0]])
    assert found.got["dw at w*"] == [[-2.0]]


def test_a_fixed_point_that_repels_is_told_apart() -> None:
    rule, claim = "post.apical * pre.rate + 0.5 * w", "-post.apical * pre.rate / 0.5"
    found = only(failing([try_property(rule, "fixed_point", w=claim)]), "fixed_point")
    assert (found.given["w*"], found.given["w"]) == ([[0.0]], [[1.0]])
    assert (found.expected["sign of dw"], found.got["sign of dw"]) == ([[-1.0]], [[1.0]])
    assert try_property(rule, "fixed_point", w=claim, attracting=False).verdict == "holds"


# ---- systems


def test_decay_on_one_side_leaves_the_difference() -> None:
    system = kolen_pollack(feedback="-pre.rate * post.apical")
    found = failing(
        try_rule(system, ["locality", "no_transport", "batch_splitting", "decay_of_difference", "descent"], examples=24)
    )
    found = only(found, "decay_of_difference")
    assert found.given["1 - rate * decay"] == 0.99
    w, b = found.given["W"][0][0], found.given["B"][0][0]
    assert {w, b} == {0.0, 1.0}
    assert found.expected["W' - B'"] == [[0.99 * (w - b)]]
    assert found.got["W' - B'"] == [[(0.99 * w) - b]]  # all activity is 0: nothing but decay is left
    assert np.abs(found.given["image"]).sum() == 0


def test_another_drive_on_one_side_leaves_the_difference() -> None:
    system = kolen_pollack(feedback="-0.5 * pre.rate * post.apical - decay * w")
    found = only(failing(try_rule(system, ["no_transport", "decay_of_difference"])), "decay_of_difference")
    x, first = found.given["image"][0][0], found.given["weights of first"][0][0]
    w, b, target = found.given["W"][0][0], found.given["B"][0][0], found.given["target"][0][0]
    drive = -(w * first * x - target) * first * x
    assert found.got["W' - B'"][0][0] == pytest.approx(0.99 * (w - b) + 0.1 * (drive - 0.5 * drive))
    assert found.expected["W' - B'"][0][0] == pytest.approx(0.99 * (w - b))


def test_a_mirror_without_its_leak_grows() -> None:
    rule = {"dw": "r * post.rate * pre.rate / (variance * slope)", "positions": "mean"}
    system = changed("weight_mirror", "mirror", {"decay": 0.1}, feedback=rule, samples={"maps": 64})
    found = failing(try_rule(system, [*OF_RULES, *OF_SYSTEMS], examples=24))
    assert found.keys() == {"boundedness", "transpose_convergence"}
    alone = found["transpose_convergence"]
    assert alone.given["neurons or maps"] == [1, 1, 1]
    assert alone.got["angle"] < 15
    assert alone.got["gain"] == pytest.approx(0.1 * 300, rel=0.15)  # r a step, of 400, the later half averaged
    exposed = found["boundedness"]
    assert exposed.where.startswith("mirror.feedback")
    assert exposed.given["w after 2"] == [[pytest.approx(0.2)]]  # r a step
    assert list(exposed.got) in (["|w| after 200"], ["|w| after 201"])  # to 20, or by rounding just not


@pytest.mark.slow
def test_a_mirror_with_its_leak_holds() -> None:
    stock = changed("weight_mirror", "mirror", {"decay": 0.1})
    assert failing(try_rule(stock, [*OF_RULES, *OF_SYSTEMS], examples=24)) == {}


@pytest.mark.parametrize(("system", "scale"), [("backprop", 1.0), ("sign_symmetry", 2**0.5)])
def test_tied_weights_follow(system: str, scale: float) -> None:
    found = only(failing(try_rule(system, ["locality", "no_transport", "descent"])), "no_transport")
    assert found.given["then weights of second"] == [[1.0]]
    assert found.expected == {"weights of second~": [[0.0]]}
    assert found.got == {"weights of second~": [[pytest.approx(scale)]]}


def unclaimed(name: str) -> LearningSystem:
    return load_learning(name).model_copy(update={"claims": Claims()})


def test_a_rule_that_reads_the_synapse_of_the_other_direction_is_found_out() -> None:
    properties = ["locality", "no_transport", "batch_permutation", "sign_equivariance"]
    found = failing(try_rule(unclaimed("symmetric_alignment"), properties, examples=24))
    assert found.keys() == {"locality", "no_transport"}
    (synapse, before), change = *found["locality"].expected.items(), list(found["locality"].given)[-1]
    assert change == f"then reverse.w{synapse.removeprefix('dw')}"
    (row, column), value = map(int, synapse[3:-1].split(",")), found["locality"].given[change]
    w, reverse = found["locality"].given["w"], found["locality"].given["reverse.w"]
    assert before == pytest.approx(0.1 * (reverse[row][column] - w[row][column]))
    assert found["locality"].got[synapse] == pytest.approx(0.1 * (value - w[row][column]))
    assert found["no_transport"].given["then weights of second"] == [[1.0]]
    assert found["no_transport"].got == {"weights after a silent step of second~": [[pytest.approx(0.1)]]}


@pytest.mark.parametrize(
    "rule", ["1e-10 * post.rate * pre.rate + 1e-12 * pre.rate**2", "1e-10 * pre.rate * post.rate**2"]
)
def test_rules_of_small_numbers_are_looked_at_as_closely(rule: str) -> None:
    name = "rate_linearity" if "pre.rate**2" in rule else "fan_in_additivity"
    assert only(failing(try_rule(rule, ["locality", "batch_splitting", name])), name)


def test_an_echo_through_the_weights_of_all_synapses_is_not_local() -> None:
    """dw[j, i] = 0.02 (x[i] - sum over k of w[k, i] a[k]) a[j], a the apical activity of the post neurons."""
    found = only(failing(try_rule(unclaimed("activation_alignment"), ["locality", "no_transport"])), "locality")
    (synapse, before), change = *found.expected.items(), list(found.given)[-1]
    post, pre = map(int, synapse[3:-1].split(","))
    x, (a,), w = found.given["pre.rate"], found.given["post.apical"], np.asarray(found.given["w"])
    assert before == pytest.approx(0.02 * (x[0][pre] - w[:, pre] @ a) * a[post])
    what, place = change.removeprefix("then ").removesuffix("]").split("[")
    row, column = map(int, place.split(","))
    taught = np.asarray(a)
    (w if what == "w" else taught)[(row, column) if what == "w" else column] = found.given[change]
    assert found.got[synapse] == pytest.approx(0.02 * (x[0][pre] - w[:, pre] @ taught) * a[post])


def test_climbing_is_no_descent() -> None:
    system = changed("backprop", "engaged", {}, forward="post.apical * pre.rate - decay * w")
    found = only(failing(try_rule(system, ["locality", "batch_splitting", "descent"])), "descent")
    assert found.given["neurons"] == [1, 1, 1]
    assert found.got["mean change of the loss, over rate and loss"] > 2 * found.given["standard error"]


@pytest.mark.parametrize("seed", range(4))
def test_a_slow_climb_shows_in_few_networks(seed: int) -> None:
    rule = "1.0e-6 * post.apical * pre.rate"
    assert try_property(rule, "descent", examples=20, seed=seed).verdict == "fails"  # in three networks at most


def test_what_changes_nothing_does_not_descend() -> None:
    found = only(failing([try_property("1.0e-30 * post.apical * pre.rate", "descent")]), "descent")
    assert found.got == {"mean change of the loss, over rate and loss": 0.0}


def test_an_engine_that_computes_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = same_on_every_engine.open_engine

    def skewed(name: str) -> Any:
        engine = load_engine("reference") if name == "skewed" else original(name)
        if name == "skewed":
            array = engine.array
            monkeypatch.setattr(engine, "array", lambda value, kind="float": array(np.abs(value), kind), raising=False)
        return engine

    monkeypatch.setattr(same_on_every_engine, "open_engine", skewed)
    outcome = try_property("post.rate * pre.rate", "same_on_every_engine", engines=["skewed"])
    found = only(failing([outcome]), "same_on_every_engine")
    dw = np.asarray(found.expected["dw by skewed"])
    assert np.abs(dw).sum() == 1.0
    assert (np.asarray(found.got["dw by skewed"]) == np.abs(dw)).all()
