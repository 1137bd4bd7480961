"""Experiments: what reads, where paths lead, and what is said of a file that is wrong."""

import json
from pathlib import Path

import pytest
import yaml

from counterstream.circuits.errors import CircuitError
from counterstream.engine.training import Cosine, Experiment, Instants, Step, as_yaml, read, reads

SOUND = "format: 1\nname: trial\ncircuit: digits_resnet\ndata: digits\nepochs: 3\n"


def test_the_least_that_will_do() -> None:
    experiment = reads(SOUND)
    assert experiment.learning is None
    assert experiment.seeds == (0,)
    assert experiment.consolidation.consolidation.optimizer == "sgd"
    record = experiment.record
    assert record.weights is not None
    assert record.signals is None
    assert (record.weights.projections, record.weights.role, record.weights.precision) == (("all",), "both", "float32")
    assert record.weights.when == record.angles.when == record.metrics.when == (Instants(epochs=1),)


def test_schedules_as_they_are_written() -> None:
    assert reads(SOUND + "consolidation: {schedule: cosine}").consolidation.schedule == Cosine()
    written = "consolidation: {schedule: {step: {milestones: [1, 2], factor: 0.5}}, warmup: 0.5}"
    assert reads(SOUND + written).consolidation.schedule == Step(milestones=(1, 2), factor=0.5)


def test_one_learning_system_or_a_list() -> None:
    assert reads(SOUND + "learning: backprop").learning == ("backprop",)
    assert reads(SOUND + "learning: [backprop, {name: mine, modes: {}}]").learning == (
        "backprop",
        {"name": "mine", "modes": {}},
    )


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "trial.yaml"
    file.write_text(
        "format: 1\nname: trial\ncircuit: nets/mine.yaml\nlearning: [rules/a.yml, backprop]\n"
        "data: {npz: ../data.npz}\nepochs: 1\noutput: out\n"
    )
    experiment = read(file)
    assert experiment.circuit == str(tmp_path / "nets/mine.yaml")
    assert experiment.learning == (str(tmp_path / "rules/a.yml"), "backprop")
    assert experiment.data.file == str(tmp_path / "../data.npz")
    assert experiment.output == str(tmp_path / "out")


def test_a_path_inside_an_inline_circuit(tmp_path: Path) -> None:
    text = SOUND.replace("digits_resnet", "{populations: {}, learning: rules/mine.yaml}")
    experiment = reads(text, folder=tmp_path)
    assert experiment.circuit == {"populations": {}, "learning": str(tmp_path / "rules/mine.yaml")}


def test_yaml_round_trip() -> None:
    experiment = reads(
        SOUND + "learning: kolen_pollack\nparameters: {decay: 1e-3}\nmodes: {mirror: {every: 2}}\n"
        "record: {weights: {projections: stage*, when: [{log: 5}, end]}, signals: {populations: [stem], when: end}, "
        "angles: none, metrics: {when: {steps: 5}}}\n"
        "consolidation: {optimizer: adamw, schedule: {step: {milestones: [1]}}}\n"
    )
    assert reads(as_yaml(experiment)) == experiment


@pytest.mark.parametrize("name", ["1e-3", "yes", "0x10", "1_000", "a: b", "# no", "ünï \u2028", "~", "[a]"])
def test_text_that_looks_like_something_else_stays_text(name: str) -> None:
    experiment = reads(SOUND + f"engine: {json.dumps(name)}\n")
    assert experiment.engine == name
    assert reads(as_yaml(experiment)) == experiment


@pytest.mark.parametrize("schedule", ["constant", "cosine", "{step: {milestones: [1]}}"])
@pytest.mark.parametrize(("optimizer", "own"), [("sgd", {"momentum", "nesterov"}), ("adamw", {"betas", "epsilon"})])
def test_every_default_is_written_out(optimizer: str, own: set[str], schedule: str) -> None:
    experiment = reads(SOUND + f"consolidation: {{optimizer: {optimizer}, schedule: {schedule}}}\n")
    written = yaml.safe_load(as_yaml(experiment))
    assert reads(as_yaml(experiment)) == experiment
    assert written.keys() == Experiment.model_fields.keys() - {"learning", "threads", "output"}  # whose default is none
    assert written["data"] == {"digits": {"validation": 0}}
    assert written["consolidation"].keys() == {"optimizer", "rate", "schedule", "warmup"} | own
    if "step" in schedule:
        assert written["consolidation"]["schedule"] == {"step": {"milestones": [1.0], "factor": 0.1}}
    assert written["record"].keys() == {"weights", "signals", "angles", "metrics", "probe"}
    assert written["record"]["signals"] == "none"


def test_the_stock_experiment_reads() -> None:
    import counterstream

    demo = read(Path(counterstream.__file__).parent / "models/experiments/demo.yaml")
    assert demo.learning is not None
    assert len(demo.learning) == 5
    assert len(demo.seeds) >= 2
    assert demo.data.validation == 0  # settings were chosen on one; the demo trains on all


def test_every_problem_at_once_with_its_place() -> None:
    text = (
        "format: 2\nname: a/b\ncirkuit: x\ndata: digit\nepochs: 0\n"
        "consolidation: {rat: 1, schedule: linear}\nrecord: {weights: {when: {epochs: 1, steps: 2}}}\nseeds: [1, 1]\n"
    )
    with pytest.raises(CircuitError) as caught:
        reads(text, "trial.yaml")
    lines = str(caught.value).splitlines()
    for expected in (
        "trial.yaml:1:1: 'circuit' must be given",
        "trial.yaml:1:1: format: ",
        "trial.yaml:2:1: name: ",
        "trial.yaml:3:1: cirkuit: unknown key 'cirkuit'. Did you mean 'circuit'?",
        "trial.yaml:4:1: data: must name exactly one of digits, npz, imagenet (got 'digit'). Did you mean 'digits'?",
        "trial.yaml:5:1: epochs: must be at least 1 (got 0)",
        "trial.yaml:6:17: consolidation.rat: unknown key 'rat'. Did you mean 'rate'?",
        "trial.yaml:6:25: consolidation.schedule: must name exactly one of constant, cosine, step (got 'linear')",
        "trial.yaml:7:20: record.weights.when: must be one of {epochs: 1}, {steps: 50}, {log: 20}, end (got epochs and",
        "trial.yaml:8:1: seeds: must differ from each other (got [1, 1])",
    ):
        assert any(line.startswith(expected) for line in lines), expected
    assert len(lines) == 10


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("every: {steps: 5}", "record.every: unknown key 'every'"),
        (
            "weights: {when: ende}",
            "record.weights.when: must be one of {epochs: 1}, {steps: 50}, {log: 20}, end (got 'ende')",
        ),
        ("weights: {when: []}", "record.weights.when: "),
        ("weights: ", "record.weights: must be none, which records nothing of it, or say what to record (got nothing)"),
        ("signals: ", "record.signals: must be none, which records nothing of it, or say what to record (got nothing)"),
        ("angles: {when: {log: 1}}", "record.angles.when.log: must be at least 2 (got 1)"),
        ("signals: {what: rate}", "'populations' must be given"),
        ("signals: {populations: v1, what: [rate, rate]}", "record.signals: what must name each once (got rate, rate)"),
        ("weights: {precision: half}", "record.weights.precision: "),
        ("weights: {compression: zip}", "record.weights.compression: "),
        ("weights: {wiring: pool}", "record.weights.wiring"),
        ("metrics: {when: {step: 5}}", "record.metrics.when.step: unknown key 'step'. Did you mean 'steps'?"),
    ],
)
def test_what_cannot_be_recorded_so_is_refused_at_its_place(written: str, message: str) -> None:
    with pytest.raises(CircuitError) as caught:
        reads(SOUND + f"record: {{{written}}}", "trial.yaml")
    (line,) = str(caught.value).splitlines()
    assert line.startswith("trial.yaml:6:")
    assert message in line


@pytest.mark.parametrize("written", ["optimizer: adamw, betas: [0.8, 0.9]", "momentum: 0.9, nesterov: true"])
def test_consolidation_is_what_was_written_of_it(written: str) -> None:
    plasticity = reads(SOUND + f"consolidation: {{{written}, schedule: cosine}}").consolidation
    found = plasticity.consolidation
    assert found.model_fields_set == plasticity.model_fields_set - {"schedule"}
    assert all(getattr(found, name) == getattr(plasticity, name) for name in found.model_fields_set)


def test_settings_of_the_other_optimizer_are_refused_at_their_place() -> None:
    with pytest.raises(CircuitError, match=r":6:1: consolidation: adamw has no momentum: it takes rate, betas, epsil"):
        reads(SOUND + "consolidation: {optimizer: adamw, momentum: 0.9}")


def test_warm_up_must_end_before_training_does() -> None:
    with pytest.raises(CircuitError, match=r":6:1: consolidation: warmup must be at most the 3 epochs"):
        reads(SOUND + "consolidation: {warmup: 4}")


def test_json_schema_knows_the_short_forms() -> None:
    text = json.dumps(Experiment.model_json_schema())
    for word in ('"const": "digits"', '"const": "cosine"', '"npz"', '"milestones"'):
        assert word in text
    assert yaml.safe_load(SOUND).keys() <= Experiment.model_json_schema()["properties"].keys()


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("seeds: [2147483648]", "f.yaml:6:9: seeds[0]: must be less than 2147483648 (got 2147483648)"),
        ("seeds: []", "f.yaml:6:1: seeds: must have 1 items (got [])"),
        ("threads: 1000000", "f.yaml:6:1: threads: must be at most 1024 (got 1000000)"),
    ],
)
def test_one_wrong_number_is_one_problem(written: str, says: str) -> None:
    with pytest.raises(CircuitError) as caught:
        reads(f"format: 1\nname: n\ncircuit: mlp\ndata: digits\nepochs: 1\n{written}\n", "f.yaml")
    assert str(caught.value) == says
