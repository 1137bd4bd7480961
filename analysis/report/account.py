"""The experiment in words, from what the runs recorded of it: what was trained, on what, by which rules."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .evidence import Evidence, System
from .markup import Markup, counted, join, listed, plain, tag

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
DIGITS = "scikit-learn's handwritten digits (8x8 pixels, 1437 to train on and 360 to test on)"
TIES = {
    "transpose_of": "the forward weights themselves, handed over (a transpose tie)",
    "sign_of": "the signs of the forward weights, handed over, times magnitudes of their own (a sign tie)",
    "same_as": "shared with another projection",
}


def account(systems: Sequence[System]) -> Markup:
    """A paragraph for each experiment that the runs belong to, then how each system learns."""
    experiments: dict[tuple[str, str], list[System]] = {}
    for system in systems:
        identity = system.first.identity
        experiments.setdefault((str(identity.settings), identity.circuit), []).append(system)
    told = [tag("p", _experiment(members)) for members in experiments.values()]
    return join([*told, tag("dl", *map(_entry, systems), class_="systems")])


def title(systems: Sequence[System]) -> str:
    circuits = dict.fromkeys(str(system.first.about["circuit_name"]) for system in systems)
    what = systems[0].name if len(systems) == 1 else f"{_word(len(systems))} learning systems"
    return plain(f"{listed_plain(circuits)}: {what}")


def listed_plain(words: Mapping[str, Any] | Sequence[str]) -> str:
    *others, end = words
    return f"{', '.join(others)} and {end}" if others else end


def _experiment(systems: Sequence[System]) -> Markup:
    first, told = systems[0].first, systems[0].first.experiment
    runs = [run for system in systems for run in system.runs]
    seeds = sorted({run.seed for run in runs})
    names = listed(tag("b", system.name) for system in systems)
    sentences: list[object] = [
        join([names, " trained the circuit ", tag("b", first.about["circuit_name"]), _description(first), _data(told),
              f", {'each ' if len(systems) > 1 else ''}with {_seeds(seeds)}: {counted(len(runs), 'run')} in all."]),
        _training(told, runs),
        _parameters(told),
        _modes(told),
        _recorded(first),
    ]  # fmt: skip
    return join([sentence for sentence in sentences if sentence], " ")


def _description(run: Evidence) -> str:
    described = run.circuit.get("description")
    if not isinstance(described, str) or not described.strip():
        return ""
    sentence = re.split(r"(?<=[.])\s+(?=[A-Z])", described.strip())[0].rstrip(".")
    return f" ({sentence[0].lower() if sentence[1:2].islower() or sentence[1:2] == ' ' else sentence[0]}{sentence[1:]})"


def _data(told: Mapping[str, Any]) -> str:
    kind, options = data_of(told)
    if kind == "digits":
        held = options.get("validation")
        return f" on {DIGITS}" + (f", {held} of the former set aside for validation" if held else "")
    if kind == "npz":
        return f" on the arrays of {options.get('file', 'a file')}"
    return f" on {kind}" if kind else ""


def data_of(told: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The experiment's data: kind and options."""
    data = told.get("data")
    if isinstance(data, str):
        return data, {}
    if isinstance(data, dict) and len(data) == 1:
        (kind, options), *_ = data.items()
        return str(kind), options if isinstance(options, dict) else {"file": options}
    return "", {}


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    return f"{_word(len(seeds))} seeds ({', '.join(map(str, seeds[:12]))}{', ...' if len(seeds) > 12 else ''})"


def _training(told: Mapping[str, Any], runs: Sequence[Evidence]) -> str:
    epochs, batch, plan = told.get("epochs"), told.get("batch"), told.get("consolidation")
    steps = max((int(run.metrics["step"].max()) for run in runs if len(run.metrics)), default=0)
    parts = [f"Training took {counted(epochs, 'epoch')}" if isinstance(epochs, int) else "Training took"]
    if steps:
        parts.append(f"({counted(steps, 'step')})" if isinstance(epochs, int) else counted(steps, "step"))
    if batch:
        parts.append(f"in batches of {batch}")
    sentence = " ".join(parts) if len(parts) > 1 or isinstance(epochs, int) else ""
    return f"{sentence}{_plan(plan)}." if sentence else ""


def _plan(plan: object) -> str:
    if not isinstance(plan, dict):
        return ""
    told = ("optimizer", "rate", "schedule", "warmup")
    named = {key: value for key, value in plan.items() if key not in told and value}  # no momentum is not worth a word
    parts = [
        f", by {str(plan['optimizer']).upper() if plan['optimizer'] == 'sgd' else plan['optimizer']}"
        if "optimizer" in plan
        else ","
    ]
    if "rate" in plan:
        parts.append(f" at rate {plan['rate']}")
    if named:
        parts.append(f" with {', '.join(f'{key} {value}' for key, value in named.items())}")
    if "schedule" in plan:
        parts.append(f", {_schedule(plan['schedule'])}")
    if plan.get("warmup"):
        parts.append(f", warmed up over {plan['warmup']} epochs")
    return "".join(parts)


def _schedule(schedule: object) -> str:
    if isinstance(schedule, str):
        return f"{schedule} schedule"
    if isinstance(schedule, dict):
        return "; ".join(f"{kind} schedule: {_flat(options)}" for kind, options in schedule.items())
    return f"schedule {schedule}"


def _parameters(told: Mapping[str, Any]) -> str:
    given = told.get("parameters")
    if not isinstance(given, dict) or not given:
        return ""
    return f"Parameters of the rules: {_flat(given)}."


def _modes(told: Mapping[str, Any]) -> str:
    given = told.get("modes")
    if not isinstance(given, dict) or not given:
        return ""
    return " ".join(f"Mode {mode}: {_flat(plan)}." for mode, plan in given.items())


def _recorded(run: Evidence) -> str:
    held = []
    if run.weights and run.snapshots:
        held.append(f"the weights of {counted(run.weights, 'projection')} at {counted(run.snapshots, 'instant')}")
    instants = max((frame["step"].nunique() for frame in (run.matrix, run.delta, run.local)), default=0)
    if instants:
        held.append(f"angles at {counted(instants, 'instant')}")
    return f"Recorded: {' and '.join(held)}." if held else ""


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return " ".join(map(_flat, value))
    return str(value)


def _word(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def _entry(system: System) -> Markup:
    """A system's name, and how its forward and feedback synapses learn, as recorded."""
    run = system.first
    name = tag("dt", tag("span", class_=f"swatch {system.look}"), system.name,
               tag("span", "transports weights: a control" if system.transports else "no weight transport",
                   class_="verdict transports" if system.transports else "verdict"))  # fmt: skip
    lines = [tag("div", "forward: ", _learning(run.learning.forward, "no rule is known"))]
    lines.append(tag("div", "feedback: ", _feedback(run)))
    return tag("div", name, tag("dd", *lines))


def _feedback(run: Evidence) -> Markup:
    told = run.learning
    if told.ties:
        return listed(TIES[tie] for tie in told.ties)
    if told.feedback:
        return _learning(told.feedback, "")
    if told.reverses:
        return join(["weights of their own, which stay as they began"])
    sent = "target" if told.sends_target else "error"
    straight = f"projections of the {sent} straight to each population, which stay as they began"
    return join([straight if told.direct else "none"])


def _learning(rules: Sequence[str], otherwise: str) -> Markup:
    if not rules:
        return join([otherwise])
    told = [rule.partition(": ") for rule in rules]
    return join([join([tag("code", f"dw = {equation}"), f" ({mode})"]) for mode, _, equation in told], "; ")
