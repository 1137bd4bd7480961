"""Kolen and Pollack's difference |W - B|, beside what their recurrence says: no data enter it."""

import math
import re
from collections import Counter
from typing import Any

import pandas as pd

from .angles import matrix_angles, unread
from .errors import AnalysisError
from .instants import INSTANT
from .recipe import Recipe, document, parameter
from .run import Run

COLUMNS = ["projection", *INSTANT, "difference", "ratio", "expected_ratio", "reason"]
MOST_STEPS = 10_000_000
RULE = re.compile(r"^(?P<drive>.+?)-\s*(?P<decay>[\w.]+(?:[eE][-+]?\d+)?)\s*\*\s*w\s*$")


def difference_decay(run: Run) -> pd.DataFrame:
    """How |W - B| shrinks: `difference` per projection and snapshot, and its `ratio` to the first snapshot's.

    In Kolen-Pollack the ratio follows from rate, decay and momentum alone, the same in every layer, whatever
    the data: in the long run exp(-rate decay / (1 - momentum)) a step. NaN where the first difference is zero
    (ties).
    """
    return _ratios(matrix_angles(run))


def _ratios(angles: pd.DataFrame) -> pd.DataFrame:
    table = angles[["projection", *INSTANT, "difference"]]
    start = table.groupby("projection")["difference"].transform("first")
    return table.assign(ratio=(table["difference"] / start).where(start > 0))


def kolen_pollack_theory(run: Run) -> pd.DataFrame:
    """`difference_decay` with `expected_ratio`, and the `reason` where that is NaN.

    With d = W - B, decay l, rate eta_t and momentum mu, whatever the data: SGD v <- mu v + l d, d <- d - eta_t v
    (Nesterov: d <- d - eta_t (l d + mu v)); AdamW d <- (1 - eta_t l) d. Rate, schedule, warm-up and momentum come
    from the recorded experiment, the decay from the projection's rule. The recurrence holds for a projection whose
    rule and whose reverse's are one product of the same two factors with one decay, neither tied. Recorded
    precision limits the agreement: float32 to about 1e-7 |W| / |W - B|. Where it holds for none, weights are not read:
    no difference either. AnalysisError where the experiment does not
    say what is needed.
    """
    circuit = document(run, "circuit")
    recipe = Recipe.of(run) if run.pairs and len(run.steps) else None
    reasons, decays = dict[str, str](), dict[str, float]()
    for forward, reverse in run.pairs:
        try:
            decays[forward] = _common_decay(run, circuit, forward, reverse)
        except AnalysisError as error:
            reasons[forward] = str(error)
    curves = {decay: _curve(recipe, decay, int(run.steps[-1])) for decay in set(decays.values()) if recipe}
    table = difference_decay(run) if curves else _ratios(unread(run))
    expected = []
    for name, step in zip(table["projection"], table["step"], strict=True):
        curve = curves.get(decays.get(name, math.nan))
        start = curve[int(run.steps[0])] if curve else math.nan
        expected.append(curve[step] / start if curve and start else math.nan)
    return table.assign(expected_ratio=expected, reason=[reasons.get(name, "") for name in table["projection"]])[
        COLUMNS
    ]


def _curve(recipe: Recipe, decay: float, steps: int) -> list[float]:
    """d after 0, 1, ..., `steps` steps, in units of its start."""
    if recipe.optimizer not in ("sgd", "adamw"):
        raise AnalysisError(f"the recurrence is not known for the optimizer {recipe.optimizer!r}")
    if steps > MOST_STEPS:
        raise AnalysisError(f"the recurrence is followed for at most {MOST_STEPS} steps (got {steps})")
    momentum = recipe.momentum if recipe.optimizer == "sgd" else 0.0  # AdamW's moments do not see the decay
    d, v, found = 1.0, 0.0, [1.0]
    for step in range(steps):
        v = momentum * v + decay * d
        move = decay * d + momentum * v if recipe.nesterov else v
        d -= recipe.rate_at(step) * move
        found.append(d)
    return found


def _common_decay(run: Run, circuit: dict[str, Any], forward: str, reverse: str) -> float:
    """The decay that both rules have. AnalysisError, as a reason, where the recurrence does not hold."""
    rules = []
    for name in (forward, reverse):
        synapse = run.synapse(name)
        if synapse.tie:
            raise AnalysisError(f"'{name}' is tied ({synapse.tie})")
        equations = synapse.rules
        if len(equations) != 1:
            raise AnalysisError(f"'{name}' must learn in exactly one mode (got {', '.join(equations) or 'none'})")
        ((mode, equation),) = equations.items()
        found = RULE.match(equation)
        if not found:
            raise AnalysisError(f"the rule of '{name}' must be one product and a decay (got '{equation}')")
        drive = found["drive"].strip()
        factors = Counter(factor.strip() for factor in drive.lstrip("-").split("*"))
        rules.append((mode, drive.startswith("-"), factors, parameter(run, circuit, found["decay"])))
    if rules[0][:3] != rules[1][:3]:
        raise AnalysisError(f"'{forward}' and '{reverse}' do not learn by the same product in the same mode")
    if rules[0][3] != rules[1][3]:
        raise AnalysisError(f"'{forward}' and '{reverse}' decay at different rates ({rules[0][3]:g}, {rules[1][3]:g})")
    return float(rules[0][3])
