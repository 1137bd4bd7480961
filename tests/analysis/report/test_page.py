"""The page: says what the runs hold, in order, and nothing that they do not; escapes everything; loads nothing."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from counterstream.analysis import AnalysisError, Run
from counterstream.analysis.report import Portrait, evidence, page
from counterstream.analysis.report.figures import MOST_LINES
from counterstream.analysis.report.markup import VOID

from .made import CIRCUIT, EXPERIMENT, record

INLINE = {"a", "b", "code", "span"}


class Read(HTMLParser):
    """Text, headings and links of a page; complains of elements that are not closed as they were opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "srcset", "data")]
        if tag not in INLINE:
            self.words.append(" ")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def made(paths: Sequence[Path], portraits: dict[str, Portrait] | None = None) -> Read:
    runs = [Run.open(path) for path in paths]
    try:
        return Read(page(runs, portraits or {}))
    finally:
        for run in runs:
            run.close()


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three systems; one run of the last was interrupted."""
    tmp_path = tmp_path_factory.mktemp("five")
    return [
        record(tmp_path / "kp0.h5", learning="kolen_pollack", end=35),
        record(tmp_path / "kp1.h5", learning="kolen_pollack", end=37, seed=1, close=False),
        record(tmp_path / "wm0.h5"),
        record(tmp_path / "wm1.h5", seed=1),
        record(tmp_path / "bp0.h5", learning="backprop", transports_weights=True, end=0),
    ]


@pytest.fixture(scope="module")
def five(paths: list[Path]) -> Read:
    return made(paths)


def test_it_tells_the_experiment_in_words(five: Read) -> None:
    text = five.text
    assert "digits_cnn: three learning systems" in text
    assert "1437 to train on and 360 to test on" in text
    assert "each with two seeds (0, 1): 5 runs in all" in text
    assert (
        "Training took 3 epochs (66 steps) in batches of 64, by SGD at rate 0.1 with momentum 0.9, cosine schedule."
        in text
    )
    assert "Parameters of the rules: decay 0.02." in text


def test_systems_stand_in_the_order_of_the_experiment(five: Read) -> None:
    text = five.text
    assert text.index("backprop") < text.index("weight_mirror") < text.index("kolen_pollack")


def test_systems_over_seeds(five: Read) -> None:
    text = five.text
    assert "97.5 ± 0.7" in text  # weight_mirror: 98 and 97
    assert "97.0 to 98.0" in text
    assert "+0.0" in text  # kolen_pollack less backprop, seed 0


def test_what_is_not_complete_is_named_and_left_out_of_the_means(five: Read) -> None:
    text = five.text
    assert "1 run of 5 is not complete" in text
    assert "kp1.h5 was interrupted (interrupted from the keyboard); it is left out of the means" in text
    assert "36.1°" not in text  # the mean of the angles of both


def test_limits_are_said(five: Read) -> None:
    text = five.text
    assert "backprop transported weights. Such runs are controls" in text
    assert "learned without weight transport" in text
    assert "Nothing about ImageNet" in text
    assert "one image more or less is 0.28 points" in text
    assert "how much noise its mode 'mirror' is given (samples: target_angle 8.0; r 0.1)" in text
    assert "one fixed batch of 128 samples" in text


def test_a_run_on_imagenet_is_not_said_to_show_nothing_about_it(tmp_path: Path) -> None:
    path = record(tmp_path / "a.h5", experiment=EXPERIMENT.replace("digits\n", "{imagenet: {folder: x}}\n"))
    assert "Nothing about ImageNet" not in made([path]).text


def test_without_reverse_projections_matrix_angles_do_not_apply(tmp_path: Path) -> None:
    path = record(tmp_path / "direct.h5", layers=0, learning="direct_feedback_alignment")
    text = made([path]).text
    assert "direct_feedback_alignment: matrix angles do not apply" in text
    assert "No projection of this system has a recorded reverse" in text


def test_matrix_angles_that_were_not_recorded_are_not_said_to_have_no_meaning(tmp_path: Path) -> None:
    circuit = (
        "populations: {a: {}, b: {}, a~: {partner: a}}\n"
        "projections: [{name: f, from: a, to: b}, {from: b, to: a~, reverse_of: f}]\n"
    )
    text = made([record(tmp_path / "a.h5", layers=0, circuit=circuit)]).text
    assert "No matrix angles were recorded" in text
    assert "came to the forward ones: not recorded" in text
    assert "do not apply" not in text


def test_differences_stay_within_circuit_and_settings(tmp_path: Path) -> None:
    """Another circuit's run of the same seed is no baseline: neither for accuracy nor for time."""
    alone = made([record(tmp_path / "a.h5"), record(tmp_path / "b.h5", circuit_name="tiny", learning="backprop")]).text
    assert "minus" not in alone
    assert "+0.0" not in alone
    both = made([*tmp_path.glob("*.h5"), record(tmp_path / "c.h5", learning="kolen_pollack")]).text
    assert "minus the first of the same circuit and settings, points" in both
    assert both.count("+0.0") == 1


def test_a_file_given_twice_counts_once(tmp_path: Path) -> None:
    path = record(tmp_path / "a.h5")
    assert made([path, path]).text == made([path]).text


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        pytest.param(None, "without weight transport, its file says; that was not proved again here", id="unread"),
        pytest.param(False, "by the proof over the recorded circuit", id="proved"),
    ],
)
def test_a_proof_is_claimed_only_where_one_was_made(tmp_path: Path, verdict: bool | None, told: str) -> None:
    text = made([record(tmp_path / "a.h5")], {CIRCUIT: Portrait(transports_weights=verdict)}).text
    assert told in text
    assert ("by the proof" in text) == (verdict is False)


def test_settings_that_differ_part_runs(tmp_path: Path) -> None:
    first = record(tmp_path / "a.h5")
    second = record(tmp_path / "b.h5", experiment=EXPERIMENT.replace("small", "slow").replace("0.02", "0.001"))
    text = made([first, second]).text
    assert "weight_mirror, small" in text
    assert "weight_mirror, slow" in text
    assert "decay 0.001" in text


def test_portraits_are_shown_and_a_verdict_that_fails_is_told(tmp_path: Path) -> None:
    svg = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><title>drawn</title></svg>'
    portrait = Portrait(drawing=svg, departures=["it shares weights over positions (3 x)"], transports_weights=True)
    text = made([record(tmp_path / "a.h5")], {CIRCUIT: portrait}).text
    assert "drawn" in text
    assert "it shares weights over positions (3 x)" in text
    assert "The verdict of weight_mirror does not hold" in text
    assert "<?xml" not in text


def test_many_layers_become_a_map(tmp_path: Path) -> None:
    few, many = (made([record(tmp_path / f"{n}.h5", layers=n)]) for n in (MOST_LINES, MOST_LINES + 1))
    assert "image" not in few.tags
    assert many.tags.count("image") == 3  # matrix, delta and local angles
    assert "layer24" in dict(many.attributes)["data-names"]


def test_nothing_is_loaded_from_anywhere(five: Read) -> None:
    assert all(link.startswith(("#", "data:")) for link in five.links)
    assert {name for name, _ in five.attributes if name.startswith("on")} == set()
    assert five.tags.count("script") == 1
    assert any(name == "content" and "default-src 'none'" in str(value) for name, value in five.attributes)


def test_tables_have_captions_and_charts_words(five: Read) -> None:
    assert five.tags.count("table") == five.tags.count("caption")
    labels = [value or "" for name, value in five.attributes if name == "aria-label"]
    assert "weight_mirror. angle against epochs. 3 projections; at the end median 11.0°, largest 11.8°." in labels
    assert five.tags.count("h1") == 1


def test_the_same_runs_give_the_same_page(paths: list[Path]) -> None:
    with Run.open(paths[0]) as run:
        assert page([run]) == page([run])


HOSTILE = "<script>alert(1)</script>\"' onload=x &amp; </title></style>\u202e\x07"


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    experiment = EXPERIMENT.replace("name: small", f"name: '{HOSTILE[:25]}'").replace(
        "digits\n", "{'<img src=x>': 1}\n"
    )
    path = record(
        tmp_path / "<b>a.h5", learning=HOSTILE, circuit_name=HOSTILE, circuit=f"# {HOSTILE}\n",
        experiment=experiment, environment={HOSTILE: HOSTILE},
    )  # fmt: skip
    found = made([path])
    assert found.tags.count("script") == 1
    assert "img" not in found.tags
    assert "<script>alert(1)</script>" in found.text
    assert not re.search("[\u202e\x07]", found.text)
    assert "onload" not in [name for name, _ in found.attributes]


@pytest.mark.parametrize(
    "experiment",
    [
        pytest.param("a: &a [1, 1]\nb: &b [*a, *a]\nname: [*b, *b]\n", id="aliases, by which a text can explode"),
        pytest.param("[" * 900 + "]" * 900, id="nested deeply"),
        pytest.param("name: [unclosed", id="no YAML"),
        pytest.param("", id="empty"),
        pytest.param("data: [1, 2]\nconsolidation: 7\nepochs: many\nparameters: [x]\nlearning: 3\n", id="other types"),
    ],
)
def test_an_experiment_that_cannot_be_read_is_shown_as_it_stands(tmp_path: Path, experiment: str) -> None:
    assert "weight_mirror" in made([record(tmp_path / "a.h5", experiment=experiment)]).text


def test_weights_that_were_not_set_beside_theory_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = record(tmp_path / "kp.h5", learning="kolen_pollack")
    assert "were not set beside theory" not in made([path]).text
    monkeypatch.setattr(evidence, "MOST_VALUES", -1)
    assert "kolen_pollack: weights were not set beside theory" in made([path]).text


def test_a_run_that_recorded_nothing(tmp_path: Path) -> None:
    text = made([record(tmp_path / "a.h5", layers=0, epochs=-1, close=False)]).text
    assert "No metrics were recorded." in text


def test_no_run_is_an_error() -> None:
    with pytest.raises(AnalysisError, match="needs at least one recording"):
        page([])
