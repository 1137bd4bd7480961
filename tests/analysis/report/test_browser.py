"""The page in a browser: no errors, light and dark, values by pointer and keys, a foreign script stays still."""

import re
from pathlib import Path

import pytest
from matplotlib.image import imread

from counterstream.analysis import Run
from counterstream.analysis.report import Portrait, page

from .browser import browse, console_messages, needs_chromium
from .made import CIRCUIT, record

pytestmark = needs_chromium

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40"><style>text{font-size:30px}</style>'
    '<text x="4" y="30">drawn</text></svg>'
)
USE = Path(__file__).with_name("use.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("report")
    paths = [
        record(tmp_path / "wm.h5"),
        record(tmp_path / "bp.h5", learning="backprop", end=0, transports_weights=True),
    ]
    runs = [Run.open(path) for path in [*paths, record(tmp_path / "many.h5", layers=40, learning="kolen_pollack")]]
    file = tmp_path / "report.html"
    file.write_text(page(runs, {CIRCUIT: Portrait(drawing=DRAWING)}), encoding="utf-8")
    for run in runs:
        run.close()
    return file


def test_it_opens_without_a_word_on_the_console(report: Path) -> None:
    shots = {}
    for theme, value in (("dark", 0), ("light", 1)):
        shot = report.parent / f"{theme}.png"
        size = ("--window-size=1280,2000", f"--blink-settings=preferredColorScheme={value}")
        done = browse(report, f"--screenshot={shot}", *size)
        assert done.returncode == 0, done.stderr
        assert console_messages(done) == []
        shots[theme] = imread(shot)[..., :3]
    assert shots["dark"].mean() < 0.3
    assert shots["light"].mean() > 0.8
    assert all(shot.std() > 0.02 for shot in shots.values())  # not blank


def test_values_by_keys_and_pointer(report: Path) -> None:
    used = report.with_name("used.html")
    text = report.read_text(encoding="utf-8")
    without_policy = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    used.write_text(without_policy.replace("</body>", f"<script>{USE}</script></body>"), encoding="utf-8")
    done = browse(used, "--dump-dom", "--virtual-time-budget=3000")
    told = dict(re.findall(r'<output id="(\w+)">([^<]*)</output>', done.stdout))
    assert told == {
        "median": "11°|median|3 epochs",
        "layer": "15.4°|layer0|2 epochs",
        "escaped": "true",
        "pointed": "0 epochs",
        "shadow": "drawn",
        "unfolded": "0",
    }
    assert console_messages(done) == []


def test_no_other_script_runs(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    changed = report.with_name("changed.html")
    changed.write_text(
        text.replace("</body>", "<script>document.title = 'taken over'</script></body>"), encoding="utf-8"
    )
    done = browse(changed, "--dump-dom")
    assert "<title>taken over" not in done.stdout
    assert "<title>digits_cnn" in done.stdout
    assert any("Content Security Policy" in message for message in console_messages(done))
