"""Every stock learning system in one table: what it transports, what else is not local, what it reaches and costs.

    python benchmarks/systems_table.py [--seeds 5] [--circuits digits_resnet,plain_cnn] [--runs runs/systems.jsonl]
        [--into docs/systems.md]

Trains each system with each seed as the demo does (models/experiments/demo.yaml: data, epochs, batch, rate, schedule,
decay), and takes from the circuit what can be said without training: the verdicts of the locality check, and multiply-
adds. Runs that stand in the --runs file already are not trained again. With --into, the tables take the place of what
stands between the two marks in that file.
"""

import argparse
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

from results_table import interval

import counterstream as cs
from counterstream.engine.compiler.circuit_cost import PREDICT, circuit_cost
from counterstream.engine.compiler.compile import compile_circuit
from counterstream.engine.data import steps_per_epoch, training_batches
from counterstream.engine.simulator import Simulator
from counterstream.engine.training import Experiment, multiplier, read
from counterstream.models import stock_learning

BEGIN, END = "<!-- systems: begin -->", "<!-- systems: end -->"
HEADINGS = ("system", "transport", "not local besides", "accuracy, %", "matrix angle", "delta angle", "cost")
PROBE = 128
REFERENCE = "backprop"

Run = Mapping[str, Any]


def train(experiment: Experiment, circuit: cs.Circuit, seed: int) -> dict[str, Any]:
    """One run: accuracy on the test images in %, median angles at the end in degrees; or the step at which it
    diverged."""
    data, how = experiment.data.load(), experiment.consolidation
    sim = cs.compile(circuit, seed=seed, consolidation=how.consolidation)
    per_epoch = steps_per_epoch(len(data.train), experiment.batch)
    steps = experiment.epochs * per_epoch
    for epoch in range(experiment.epochs):
        for rows in training_batches(len(data.train), experiment.batch, seed, epoch):
            step, batch = sim.steps[sim.compiled.data_mode], data.train.take(rows)
            sim.rate = multiplier(how.schedule, step, steps=steps, steps_per_epoch=per_epoch, warmup=how.warmup)
            if not math.isfinite(sim.step(batch.images, batch.target)["loss"]):
                return {"diverged": step}
            run_other_modes(sim, batch.images, batch.target)
    test, probe = (part.take(range(size)) for part, size in ((data.test, len(data.test)), (data.train, PROBE)))
    found = sim.alignment(probe.images, probe.target)
    hidden = [angle for name, angle in found.delta_angles.items() if name not in sim.compiled.graph.outputs]
    return {
        "accuracy": 100 * sim.evaluate(test.images, test.target)["accuracy"],
        "matrix_angle": median(found.matrix_angles.values()) if found.matrix_angles else None,
        "delta_angle": median(hidden) if hidden else None,
    }


def run_other_modes(sim: Simulator, images: Any, target: Any) -> None:
    """What follows an engaged step, as often as each mode declares."""
    for name, programs in sim.compiled.modes.items():
        if name == sim.compiled.data_mode or sim.steps[sim.compiled.data_mode] % programs.mode.every:
            continue
        if programs.mode.isolates:
            sim.run(name)
        else:
            sim.step(images, target, mode=name)


# ---- what can be said without training


def cost(circuit: cs.Circuit, batch: int) -> float:
    """Multiply-adds of a training step, the other modes' share included."""
    modes = circuit_cost(compile_circuit(circuit), batch=batch, itemsize=4).modes
    return sum(m.total.multiply_adds / len(m.steps) / m.every for name, m in modes.items() if name != PREDICT)


def findings(circuit: cs.Circuit, kinds: Sequence[str]) -> list[str]:
    """What the check finds of these kinds, populations and projections left out, each once."""
    messages = (f.message for verdict in cs.check(circuit).verdicts for f in verdict.findings if f.kind in kinds)
    names = r"in mode '\w+' its rule (reads )?| of (those of )?'[^']*'"
    return list(dict.fromkeys(re.sub(names, "", message) for message in messages))


def transport(circuit: cs.Circuit) -> str:
    said = (message.partition(": ")[2] or message for message in findings(circuit, ("transport",)))
    return "; ".join(text.removeprefix("its weights are the ") for text in said) or "no"


def besides(circuit: cs.Circuit, shared: Sequence[str]) -> str:
    """What departs from locality in this system and not in every system of the circuit."""
    own = (message for message in findings(circuit, ("departure", "unfed")) if message not in shared)
    return "; ".join(own) or "-"


# ---- the table


def rows(experiment: Experiment, name: str, systems: Sequence[str], runs: Sequence[Run]) -> Iterator[list[str]]:
    circuits = {system: circuit_of(experiment, name, system) for system in systems}
    shared = findings(circuits[REFERENCE], ("departure",))
    unit = cost(circuits[REFERENCE], experiment.batch)
    for system, circuit in circuits.items():
        own = [run for run in runs if run["system"] == system]
        whole = [run for run in own if "diverged" not in run]
        accuracy = "; ".join(filter(None, (spread(whole, "accuracy") if whole or not own else "", diverged(own))))
        yield [
            system,
            transport(circuit),
            besides(circuit, shared),
            accuracy,
            spread(whole, "matrix_angle", "°"),
            spread(whole, "delta_angle", "°"),
            f"{cost(circuit, experiment.batch) / unit:.2f}",
        ]


def spread(runs: Sequence[Run], what: str, unit: str = "") -> str:
    values = [run[what] for run in runs if run[what] is not None]
    if len(values) < 2:
        return f"{values[0]:.1f}{unit}" if values else "-"
    return interval(values, unit=unit)


def diverged(runs: Sequence[Run]) -> str:
    steps = sorted(run["diverged"] for run in runs if "diverged" in run)
    if not steps:
        return ""
    when = f"{steps[0]}" if steps[0] == steps[-1] else f"{steps[0]} to {steps[-1]}"
    return f"diverged in {len(steps)} of {len(runs)}, at step {when}"


def circuit_of(experiment: Experiment, name: str, system: str) -> cs.Circuit:
    return cs.load(name, learning=system, parameters=experiment.parameters)


def tables(experiment: Experiment, names: Sequence[str], systems: Sequence[str], runs: Sequence[Run]) -> Iterator[str]:
    for name in names:
        ours = [run for run in runs if run["circuit"] == name]
        seeds = [seed for seed in {run["seed"] for run in ours} if sum(r["seed"] == seed for r in ours) == len(systems)]
        whole = [run for run in ours if run["seed"] in seeds]  # no row with more seeds than another
        yield f"`{name}`, n = {len(seeds)} seeds a system:\n"
        for cells in (HEADINGS, ["---"] * len(HEADINGS), *rows(experiment, name, systems, whole)):
            yield f"| {' | '.join(cells)} |"
        yield ""


def all_runs(experiment: Experiment, names: Sequence[str], systems: Sequence[str], seeds: int, kept: Path) -> list[Run]:
    """The runs, seeds outside: what stands in the file, and those that are missing, which are added to it."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    found: list[Run] = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    for name in names:
        for seed in range(seeds):
            for system in systems:
                key = {"circuit": name, "system": system, "seed": seed}
                if not any(key.items() <= run.items() for run in found):
                    found.append(key | train(experiment, circuit_of(experiment, name, system), seed))
                    with kept.open("a") as file:
                        print(json.dumps(found[-1]), file=file)
                    print(found[-1], flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--circuits", default="digits_resnet,plain_cnn")
    parser.add_argument("--runs", type=Path, default=Path("runs/systems.jsonl"))
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    experiment = read(str(files("counterstream.models") / "experiments" / "demo.yaml"))
    names, systems = options.circuits.split(","), [REFERENCE, *(s for s in stock_learning() if s != REFERENCE)]
    runs = all_runs(experiment, names, systems, options.seeds, options.runs)
    text = "\n".join(tables(experiment, names, systems, runs))
    print(text)
    if options.into:
        page = options.into.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        options.into.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
