"""What the runs of a report show, and what they do not: said plainly, from what the files hold."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .account import data_of
from .evidence import Evidence, System
from .markup import Markup, counted, join, listed, tag
from .portrait import Portrait

DIGITS_TEST = 360
FEW_SEEDS = 5
Portraits = Mapping[str, Portrait]
Sentence = tuple[object, ...]  # its parts, texts and markup
STATUS = {
    "running": " had not ended when this page was made, or was killed",
    "interrupted": " was interrupted",
    "failed": " failed",
}


def limits(systems: Sequence[System], portraits: Portraits) -> Markup:
    """Two lists: what is shown, and what is not."""
    shown = [*_transport(systems, portraits), *_accuracy(systems), *_angles(systems)]
    hidden = [
        *_endings(systems), *_seeds(systems), *_data(systems), *_settings(systems), *_validation(systems),
        *_ties(systems), *_without_reverse(systems), *_mirrors(systems), *_decay(systems), *_theory(systems),
        *_probe(systems), *_departures(systems, portraits), *_time(systems), *_source(systems),
    ]  # fmt: skip
    lists = (("What they show", shown), ("What they do not show", hidden))
    return join(part for title, items in lists for part in (tag("h3", title), _list(items)))


def _list(items: Sequence[Sentence]) -> Markup:
    return tag("ul", *(tag("li", *parts) for parts in items))


def _names(systems: Sequence[System]) -> Markup:
    return listed(tag("b", system.name) for system in systems)


def _runs(systems: Sequence[System]) -> list[Evidence]:
    return [run for system in systems for run in system.runs]


# ---- what they show


def _transport(systems: Sequence[System], portraits: Portraits) -> Iterator[Sentence]:
    verdicts = [_proven(system, portraits) for system in systems]
    without = [s for s, proven in zip(systems, verdicts, strict=True) if not s.transports and proven is False]
    unproven = [s for s, proven in zip(systems, verdicts, strict=True) if not s.transports and proven is None]
    controls = [system for system in systems if system.transports]
    if without:
        proof = "by the proof over the recorded circuit, no synapse's value or change depends on another's weight."
        yield _names(without), " learned without weight transport: ", proof
    if unproven:
        whose = "its file says" if len(unproven) == 1 else "their files say"
        yield _names(unproven), f" learned without weight transport, {whose}; that was not proved again here."
    if controls:
        meaning = "Such runs are controls: they tell what is to be reached, not how a brain could."
        yield _names(controls), " transported weights. ", meaning
    for system, proven in zip(systems, verdicts, strict=True):
        if proven is not None and proven != system.transports:
            file, again = _verdict(system.transports), _verdict(proven)
            told = f"its file says {file}, the proof repeated over the recorded circuit says {again}."
            yield "The verdict of ", tag("b", system.name), " does not hold: ", told


def _proven(system: System, portraits: Portraits) -> bool | None:
    return portraits.get(system.first.circuit_text, Portrait()).transports_weights


def _verdict(transports: bool) -> str:
    return "that weights are transported" if transports else "that none are"


def _accuracy(systems: Sequence[System]) -> Iterator[Sentence]:
    if any(not math.isnan(run.number("test_accuracy")) for system in systems for run in system.judged):
        yield ("Test accuracy at the end of training, on samples that no system had learned from.",)


def _angles(systems: Sequence[System]) -> Iterator[Sentence]:
    own = [system for system in systems if len(system.first.matrix) and not system.first.learning.ties]
    if own:
        scale = "0° where they agree but for their length, 90° where they are unrelated."
        yield "How far the feedback weights of ", _names(own), f" came to mirror the forward ones: {scale}"


# ---- what they do not show


def _endings(systems: Sequence[System]) -> Iterator[Sentence]:
    for system in systems:
        for run in system.runs:
            if not run.complete:
                why = f" ({run.about['message']})" if run.about.get("message") else ""
                left_out = system.judged is not system.runs
                counts = "it is left out of the means" if left_out else "its last record stands for its end"
                status = STATUS.get(run.status, f" has the status {run.status}")
                yield tag("b", run.path.name), status, why, f"; {counts}."


def _seeds(systems: Sequence[System]) -> Iterator[Sentence]:
    counts = sorted({len({run.seed for run in system.judged}) for system in systems})
    twice = [s for s in systems if len({run.seed for run in s.judged}) < len(s.judged)]
    if twice:
        yield _names(twice), ": a seed occurs in several files, so their spread says less than their number."
    if counts[-1] == 1:
        yield (
            "Each system ran with one seed. How far another seed would have led elsewhere is not known, and small "
            "differences between systems mean nothing.",
        )
    elif counts[0] < FEW_SEEDS:
        many = str(counts[0]) if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
        yield (
            f"Systems ran with {many} seeds. Intervals over so few are too narrow: one that claims 95 % holds the mean "
            "about 48 % of the time with 2 runs, 75 % with 3, 84 % with 5. Small differences between systems are not "
            "established.",
        )


def _data(systems: Sequence[System]) -> Iterator[Sentence]:
    kinds = {data_of(system.first.experiment)[0] for system in systems}
    if "digits" in kinds:
        image = f"one image more or less is {100 / DIGITS_TEST:.2f} points of accuracy."
        yield (f"The digits' test set has {DIGITS_TEST} images: {image}",)
    if not any("imagenet" in kind.lower() for kind in kinds):
        yield (
            "Nothing about ImageNet, or any data but those named above: that a system keeps up here does not say that "
            "it does in deeper networks on harder tasks, where systems fall apart that agree on easy ones.",
        )


def _settings(systems: Sequence[System]) -> Iterator[Sentence]:
    if len(systems) > 1:
        yield (
            "Which system is best when each is at its best: all ran with the settings above, and none was tuned for "
            "itself as far as the files tell.",
        )


def _validation(systems: Sequence[System]) -> Iterator[Sentence]:
    name = "validation_accuracy"
    if not any(name in run.metrics and run.metrics[name].notna().any() for run in _runs(systems)):
        yield ("No samples were set aside for validation. If settings were chosen by test accuracy, it is flattering.",)


def _ties(systems: Sequence[System]) -> Iterator[Sentence]:
    tied = [system for system in systems if system.first.learning.ties]
    if tied:
        yield _names(tied), ": angles between tied weights are what the tie makes them, no achievement of learning."


def _without_reverse(systems: Sequence[System]) -> Iterator[Sentence]:
    for system in systems:
        if not len(system.first.matrix):
            if system.first.learning.reverses:
                yield tag("b", system.name), ": how near its feedback weights came to the forward ones: not recorded."
                continue
            direct = "its feedback does not run back through reverse projections"
            why = direct if system.first.learning.direct else "no reverse projection is recorded"
            name = tag("b", system.name)
            yield name, f": matrix angles do not apply, since {why}; delta angles do where recorded."


def _mirrors(systems: Sequence[System]) -> Iterator[Sentence]:
    for system in systems:
        modes = system.first.circuit.get("modes")
        for name, mode in modes.items() if isinstance(modes, dict) else ():
            if isinstance(mode, dict) and "samples" in mode:
                parts = (_flat(mode["samples"]), _flat(system.first.circuit.get("parameters")))
                constants = "; ".join(part for part in parts if part)
                yield (
                    tag("b", system.name),
                    f": how small its angles get is set by how much noise its mode '{name}' is given "
                    f"(samples: {constants}). More noise would bring them lower, for more time.",
                )


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    return "" if value is None else str(value)


def _decay(systems: Sequence[System]) -> Iterator[Sentence]:
    shrinking = [s for s in systems if any("decay" in rule for rule in s.first.learning.feedback)]
    if shrinking:
        yield (
            _names(shrinking),
            ": W - B shrinks by decay, rate and the number of steps, whatever the data. Angles after a run as short as "
            "this one are no limit; with the usual small decay they would have moved less.",
        )


def _theory(systems: Sequence[System]) -> Iterator[Sentence]:
    vast = [system for system in systems if any(run.vast for run in system.runs)]
    if vast:
        yield (
            _names(vast),
            ": weights were not set beside theory, for there are more of them than a page waits for. ",
            tag("code", "counterstream analyze RUN.h5"),
            " reads them all.",
        )


def _probe(systems: Sequence[System]) -> Iterator[Sentence]:
    if any(len(system.first.delta) for system in systems):
        record = systems[0].first.experiment.get("record")
        probe = record.get("probe") if isinstance(record, dict) else None
        size = f" of {counted(probe, 'sample')}" if isinstance(probe, int) else ""
        yield (f"Delta and local angles are those of one fixed batch{size} of the training data, as recorded.",)


def _departures(systems: Sequence[System], portraits: Portraits) -> Iterator[Sentence]:
    told: dict[tuple[str, ...], list[System]] = {}
    for system in systems:
        found = tuple(portraits.get(system.first.circuit_text, Portrait()).departures)
        if found:
            told.setdefault(found, []).append(system)
    for departures, members in told.items():
        count = counted(len(departures), "departure")
        meaning = f": {count} from locality that the model makes on purpose, weight transport apart:"
        items = tag("ul", *(tag("li", departure) for departure in departures))
        yield "That a brain could do all of it. ", _names(members), meaning, items


def _time(systems: Sequence[System]) -> Iterator[Sentence]:
    timed = [run for run in _runs(systems) if run.number("seconds_per_step") > 0]
    if timed:
        machines = "; ".join(sorted({_machine(run.environment) for run in timed}))
        yield (f"How long training takes elsewhere: times are of this code on {machines}.",)


def _machine(environment: Mapping[str, Any]) -> str:
    told = {"machine": "{}", "system": "{}", "device": "{}", "cores": "{} cores", "torch": "torch {}"}
    found = [form.format(environment[name]) for name, form in told.items() if environment.get(name)]
    return ", ".join(found) or "one machine"


def _source(systems: Sequence[System]) -> Iterator[Sentence]:
    changed = sum(bool(run.about.get("git_dirty")) for run in _runs(systems))
    if changed:
        runs = counted(changed, "run")
        yield (f"Exactly which code ran: the repository held uncommitted changes when {runs} started.",)
