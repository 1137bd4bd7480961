"""What a weight mirror's angle costs, in arithmetic and in time: the tables of docs/mirror.md, "What an angle costs".

    python benchmarks/mirror_trade.py [count | rest | learn | all] [--circuits NAME ...] [--seeds 2]

count   by counting alone: multiply-adds of mirror steps over those of the engaged steps, in several networks and shapes
rest    W at rest in two circuits: angle against theory, arithmetic and time, for several amounts of noise
learn   W learning the digits: angle to W as it is and to W as it was, for r, `every` and `layers`

Times are medians over alternated steps of one thread; shares are of an engaged step.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

import numpy as np

import counterstream as cs
from counterstream.circuits.declarations import LearningSystem
from counterstream.circuits.plasticity import answer_of
from counterstream.engine.angle import angle
from counterstream.engine.compiler.circuit_cost import circuit_cost
from counterstream.engine.compiler.compile import CompiledCircuit, compile_circuit
from counterstream.engine.compiler.mirror import expected_angle_tangent
from counterstream.engine.data import digits, training_batches
from counterstream.engine.simulator import Simulator
from counterstream.models.library import load_learning

BATCH, EPOCHS, RATE, DECAY = 64, 10, 0.1, 0.02
"""The demo's: models/experiments/demo.yaml."""
CIRCUITS: dict[str, dict[str, Any]] = {
    "digits_resnet": {},
    "resnet18": {"size": [1, 8, 8], "classes": 10, "stem": "small", "width": 0.25},
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One way of mirroring."""

    samples: dict[str, float]
    r: float = 0.1
    every: int = 1
    layers: Any = "all"

    def system(self) -> LearningSystem:
        system = load_learning("weight_mirror")
        declared = system.modes["mirror"].model_dump(by_alias=True, exclude_unset=True)
        changed = {**declared, "samples": self.samples, "every": self.every, "layers": self.layers}
        modes = {**system.modes, "mirror": type(system.modes["mirror"]).model_validate(changed)}
        return system.model_copy(update={"modes": modes, "parameters": {"decay": DECAY, "r": self.r}})

    def lag(self, compiled: CompiledCircuit) -> float:
        """The mean age of the W that B holds, in engaged steps: P / r - (P + 1) / 2, served every P of them.

        Just served, its share r of W is new, r (1 - r) is P steps old, and so on: P (1 - r) / r; until it is served
        again it ages by (P - 1) / 2 on average.
        """
        period = self.every * len(compiled.turns["mirror"])
        return period / self.r - (period + 1) / 2

    def cells(self) -> tuple[str, ...]:
        ((kind, value),) = self.samples.items()
        layers = f"rotate {self.layers['rotate']}" if isinstance(self.layers, dict) else self.layers
        return f"{kind}: {value:g}", f"{self.r:g}", str(self.every), layers


SETTING_HEADINGS = ("samples", "r", "every", "layers")


def table(headings: Sequence[str], rows: Iterator[tuple[str, ...]]) -> None:
    """A Markdown table, line by line as the rows come."""
    print(f"\n| {' | '.join(headings)} |\n|{'---|' * len(headings)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def share(compiled: CompiledCircuit, batch: int) -> float:
    """Multiply-adds of the mirror over those of the engaged steps."""
    return circuit_cost(compiled, batch=batch, itemsize=4).share("mirror", "engaged")


# ---- count

SHAPES: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("resnet18", {"size": [3, 224, 224]}, 256),
    ("resnet50", {"size": [3, 224, 224]}, 256),
    ("resnet18", {"size": [3, 128, 128]}, 64),
    ("resnet18", {"size": [3, 64, 64]}, 16),
    ("digits_resnet", {}, 64),
)


def counted() -> Iterator[tuple[str, ...]]:
    for name, options, batch in SHAPES:
        shares = []
        for degrees in (6, 8, 12, 16):
            setting = Setting(samples={"target_angle": degrees})
            compiled = compile_circuit(cs.load(name, learning=setting.system(), options=options))
            shares.append(share(compiled, batch))
        rotating = Setting(samples={"target_angle": 12}, layers="rotate")
        compiled = compile_circuit(cs.load(name, learning=rotating.system(), options=options))
        step = circuit_cost(compiled, batch=batch, itemsize=4)
        engaged = step.modes["engaged"].total.multiply_adds
        turns = [sum(p.total.multiply_adds for p in turn) / engaged for turn in step.modes["mirror"].steps]
        size = "x".join(map(str, options.get("size", (1, 8, 8))))
        percent = (f"{100 * value:.3g}" for value in (*shares, mean(turns), max(turns)))
        yield (name, str(batch), size, *percent, str(len(turns)))


COUNTED_HEADINGS = ("circuit", "batch", "image", "6°", "8°", "12°", "16°", "12°, a turn", "the dearest turn", "turns")


# ---- W at rest

AT_REST = (
    *(Setting(samples={"target_angle": degrees}) for degrees in (4, 6, 8, 12, 16)),
    *(Setting(samples={"target_angle": 8}, r=r) for r in (0.02, 0.05, 0.2, 0.5)),
    *(Setting(samples={"per_input": k}) for k in (1, 2, 4)),
    Setting(samples={"maps": 8}),
    Setting(samples={"target_angle": 8}, layers="rotate"),
    Setting(samples={"target_angle": 8}, layers={"rotate": 5}),
)


def angles(sim: Simulator, forward: dict[str, np.ndarray]) -> list[float]:
    """Degrees between B and the given W, of every layer, without taps that are no synapses."""
    found = []
    for label, w in forward.items():
        unseen, b = sim.compiled.graph.geometries[label].unseen, sim.weights[f"{label}~"]
        seen = np.ones(w.shape, bool) if unseen is None else ~np.broadcast_to(unseen, w.shape)
        found.append(angle(w[seen], b[seen]))
    return found


def weights(sim: Simulator) -> dict[str, np.ndarray]:
    """W of every layer that has a mirror."""
    return {label: sim.weights[label] for label in sim.weights if f"{label}~" in sim.weights}


def theory(sim: Simulator) -> list[float]:
    graph, mode = sim.compiled.graph, sim.circuit.modes["mirror"]
    rules = [rule for rule in sim.compiled.plasticity if rule.mode == "mirror"]
    known = ((mode, graph.geometries[rule.subject], rule, answer_of(graph, rule.subject, mode)) for rule in rules)
    return [float(np.degrees(np.arctan(expected_angle_tangent(*each)))) for each in known]


def at_rest(circuit: str, seed: int) -> Iterator[tuple[str, ...]]:
    images, labels = digits().train.take(np.arange(BATCH)).images, digits().train.take(np.arange(BATCH)).labels
    for setting in AT_REST:
        sim = cs.compile(cs.load(circuit, learning=setting.system(), options=CIRCUITS[circuit]), seed=seed)
        turns, w = len(sim.compiled.turns["mirror"]), weights(sim)
        for label in w:
            sim.weights[f"{label}~"] = w[label]  # B starts where it is heading: to settle, it only takes up noise
        sim.run("mirror", steps=turns * round(2 / setting.r))
        found = []
        for _ in range(4):
            sim.run("mirror", steps=turns * round(1 / setting.r))
            found.append(angles(sim, w))
        layers = np.mean(found, axis=0)
        seconds = timed(sim, images, labels, turns)
        cells = (median(layers), max(layers), median(theory(sim)))
        yield (
            *setting.cells()[:2],
            setting.cells()[3],
            *(f"{degrees:.1f}" for degrees in cells),
            f"{share(sim.compiled, BATCH):.3f}",
            f"{seconds:.2f}",
        )


def timed(sim: Simulator, images: np.ndarray, labels: np.ndarray, turns: int) -> float:
    """Seconds of a mirror step over those of an engaged one. Turns differ: whole rounds are timed."""
    ratios = []
    for _ in range(6 if turns == 1 else 3):
        start = time.perf_counter()
        for _ in range(turns):
            sim.step(images, labels)
        middle = time.perf_counter()
        sim.run("mirror", steps=turns)
        ratios.append((time.perf_counter() - middle) / (middle - start))
    return median(ratios)


REST_HEADINGS = (
    "samples", "r", "layers", "median angle, °", "largest, °", "theory's median, °", "arithmetic", "time",
)  # fmt: skip


# ---- W learning

LEARNING = (
    Setting(samples={"target_angle": 8}),
    Setting(samples={"target_angle": 8}, every=4),
    Setting(samples={"target_angle": 8}, layers={"rotate": 4}),
    Setting(samples={"target_angle": 8}, layers="rotate"),
    Setting(samples={"target_angle": 8}, r=0.4, every=4),
    Setting(samples={"target_angle": 12}),
    Setting(samples={"target_angle": 12}, r=0.2, every=4),
    Setting(samples={"target_angle": 12}, r=0.2, layers={"rotate": 4}),
    Setting(samples={"target_angle": 16}, r=0.4, every=4),
    Setting(samples={"target_angle": 12}, r=0.8, layers="rotate"),
)
LEARNT_BY = {"digits_resnet": LEARNING, "resnet18": (LEARNING[0], LEARNING[1], LEARNING[6], LEARNING[7])}
"""The second circuit takes four times as long: four settings."""


@dataclass(frozen=True)
class Learned:
    """One run. Angles are medians over layers, averaged over the looks between a fifth and four fifths of training."""

    now: float
    """To W as it is."""
    largest: float
    """The same, of the layer that is farthest off."""
    past: float
    """To W as it was one lag ago."""
    moved: float
    """Between W as it is and as it was one lag ago."""
    last: float
    """To W at the end, where the rate has come to 0."""
    accuracy: float
    share: float
    lag: float


def learned(circuit: str, setting: Setting, seed: int) -> Learned:
    data = digits()
    sim = cs.compile(
        cs.load(circuit, learning=setting.system(), options=CIRCUITS[circuit]),
        seed=seed,
        consolidation=cs.Consolidation(rate=RATE, momentum=0.9),
    )
    lag = setting.lag(sim.compiled)
    steps = EPOCHS * (len(data.train) // BATCH)
    history: list[dict[str, np.ndarray]] = []
    looks = []
    for epoch in range(EPOCHS):
        for indices in training_batches(len(data.train), BATCH, seed, epoch):
            step = len(history)
            batch = data.train.take(indices)
            sim.rate = (1 + np.cos(np.pi * step / steps)) / 2
            sim.step(batch.images, batch.labels)
            history.append(weights(sim))
            if (step + 1) % setting.every == 0:
                sim.run("mirror")
            if steps / 5 < step < 4 * steps / 5 and step % 7 == 0:
                looks.append(look(sim, history, round(lag)))
    now = angles(sim, history[-1])
    middle = [mean(column) for column in zip(*looks, strict=True)]
    accuracy = sim.evaluate(data.test.images, data.test.labels)["accuracy"]
    return Learned(*middle, median(now), accuracy, share(sim.compiled, BATCH), lag)


def look(sim: Simulator, history: list[dict[str, np.ndarray]], lag: int) -> tuple[float, float, float, float]:
    """(median and largest angle to W now, median angle to W one lag ago, median angle between the two W)."""
    then = history[max(len(history) - 1 - lag, 0)]
    now = angles(sim, history[-1])
    moved = median(angle(history[-1][label], then[label]) for label in then)
    return median(now), max(now), median(angles(sim, then)), moved


def learning(circuit: str, seeds: int) -> Iterator[tuple[str, ...]]:
    for setting in LEARNT_BY[circuit]:
        runs = [learned(circuit, setting, seed) for seed in range(seeds)]
        degrees = ("now", "largest", "past", "moved", "last")
        yield (
            *setting.cells(),
            f"{runs[0].lag:.0f}",
            f"{runs[0].share:.3f}",
            *(f"{mean(getattr(run, name) for run in runs):.1f}" for name in degrees),
            f"{100 * mean(run.accuracy for run in runs):.1f}",
        )


LEARN_HEADINGS = (
    *SETTING_HEADINGS, "lag, steps", "arithmetic", "angle to W, °", "largest, °", "to W one lag ago, °",
    "W then to now, °", "angle at the end, °", "test accuracy, %",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=("count", "rest", "learn", "all"), default="all")
    parser.add_argument("--circuits", nargs="*", choices=tuple(CIRCUITS), help="for rest and learn; default: both")
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    if given.part in ("count", "all"):
        print("\nMultiply-adds of a mirror step, percent of an engaged step, r = 0.1")
        table(COUNTED_HEADINGS, counted())
    if given.part in ("rest", "all"):
        for circuit in given.circuits or CIRCUITS:
            print(f"\n{circuit}, W at rest, batch {BATCH}")
            table(REST_HEADINGS, at_rest(circuit, seed=0))
    if given.part in ("learn", "all"):
        for circuit in given.circuits or CIRCUITS:
            print(f"\n{circuit} while it learns, n = {given.seeds} seeds")
            table(LEARN_HEADINGS, learning(circuit, given.seeds))


if __name__ == "__main__":
    main()
