"""The report: one HTML page that needs no network, no server and no other file."""

import base64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files

from ..errors import AnalysisError
from ..run import Run
from . import figures, tables
from .account import account, title
from .evidence import Evidence, System, evidence, systems
from .limits import limits
from .markup import Markup, counted, tag
from .portrait import Portrait
from .theory import theory

MOST_TEXT = 60_000  # characters of a recorded text that are shown
NO_PORTRAITS: Mapping[str, Portrait] = {}
MATRIX = """The angle between the weights W of each projection and the weights B of its reverse: 0° where feedback
mirrors forward, 90° where it is unrelated."""
DELTA = "The angle between the circuit's error signal at each population and the one that backprop would put there."
LOCAL = """What each population's own feedback synapses add to the delta angle: between the error they bring and the one
that W in their place would bring. Of populations that feedback reaches through weights: elsewhere it is 0°."""
DEPTH = "The end of training, layer by layer. Lines are means over seeds, shades reach from the least to the greatest."
TRAINING = """Between two records, averaged over their training steps. Lines are means over seeds, shades reach from the
least to the greatest."""
HOVER = "Point at a chart for values, or focus it and use the arrow keys."


def page(runs: Sequence[Run], portraits: Mapping[str, Portrait] = NO_PORTRAITS) -> str:
    """The report on these runs, as the text of an HTML file.

    portraits: by the text of the explicit circuit (`Run.circuit`), what the recordings cannot tell of it. Reads
    every run once; weights only where angles were not measured during the run. Raises AnalysisError without runs.
    """
    if not runs:
        raise AnalysisError("a report needs at least one recording (got none)")
    gathered = systems([evidence(run) for run in runs])
    heading = title(gathered)
    script, style = _resource("page.js"), _resource("page.css")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content="Counterstream"),
        tag("title", heading),
        tag("link", rel="icon", href="data:,"),
        tag("style", style),
    )
    parts = [*_top(gathered, heading), *_sections(gathered, portraits)]
    body = tag("body", tag("main", *parts), tag("div", id="tip", role="status", hidden=True), tag("script", script))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _policy(script: Markup) -> str:
    """Nothing is loaded from anywhere, and no script runs but the page's own."""
    digest = base64.b64encode(sha256(script.encode("utf-8")).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"


def _resource(name: str) -> Markup:
    return Markup((files(__package__) / name).read_text(encoding="utf-8"))


def _top(gathered: Sequence[System], heading: str) -> list[Markup]:
    runs = [run for system in gathered for run in system.runs]
    made = sorted(str(run.about.get("created", ""))[:10] for run in runs if run.about.get("created"))
    when = "" if not made else f", made {made[0]}" + (f" to {made[-1]}" if made[-1] != made[0] else "")
    unfinished = sum(not run.complete for run in runs)
    parts = [tag("h1", heading), tag("p", f"{counted(len(runs), 'recording')}{when}. {HOVER}", class_="quiet")]
    if unfinished:
        verb = "is" if unfinished == 1 else "are"
        told = f"{counted(unfinished, 'run')} of {len(runs)} {verb} not complete: see "
        link = tag("a", "what these runs do not show", href="#limits")
        parts.append(tag("p", told, link, ".", class_="warning", role="note"))
    return parts


def _sections(gathered: Sequence[System], portraits: Mapping[str, Portrait]) -> list[Markup]:
    key = figures.key(gathered) if len(gathered) > 1 else Markup()
    compared = theory(gathered)
    return [
        _section("What was done", account(gathered)),
        _section("What came out", tables.of_systems(gathered), tag("p", tables.method(), class_="quiet")),
        _section("Error over training", tag("p", TRAINING), key, figures.training(gathered)),
        _angles("Matrix angles", "matrix", MATRIX, gathered),
        _angles("Delta angles", "delta", DELTA, gathered),
        *([_angles("Local angles", "local", LOCAL, gathered)] if figures.has(gathered, "local") else []),
        _section("Over depth", tag("p", DEPTH), key, figures.depths(gathered)),
        *([_section("Measured against theory", compared)] if compared else []),
        _section("What these runs show, and what they do not", limits(gathered, portraits), id="limits"),
        _section("The circuits", *_circuits(gathered, portraits)),
        _section("Layer by layer", *(_folded(system.name, tables.of_layers(system)) for system in gathered)),
        _section("Recordings", tables.of_runs(gathered), *_texts(gathered)),
    ]


def _angles(heading: str, which: str, meaning: str, gathered: Sequence[System]) -> Markup:
    return _section(heading, tag("p", meaning), figures.keys(gathered, which), figures.angles(gathered, which))


def _section(heading: str, *parts: object, id: str | None = None) -> Markup:
    name = id or heading.lower().replace(" ", "-")
    return tag("section", tag("h2", heading, id=name), *parts, aria_labelledby=name)


def _folded(summary: object, *parts: object) -> Markup:
    return tag("details", tag("summary", summary), *parts)


def _circuits(gathered: Sequence[System], portraits: Mapping[str, Portrait]) -> list[Markup]:
    shown: dict[str, list[System]] = {}
    for system in gathered:
        shown.setdefault(system.first.circuit_text, []).append(system)
    found = []
    for text, members in shown.items():
        portrait = portraits.get(text, Portrait())
        names = ", ".join(system.name for system in members)
        parts = [tag("p", portrait.problem, class_="warning")] if portrait.problem else []
        if portrait.drawing:
            parts.append(_drawing(portrait.drawing, f"{members[0].first.about['circuit_name']}, learning by {names}"))
        parts.append(_text("As text (explicit YAML)", text))
        found.append(_folded(f"{names}: {members[0].first.about['circuit_name']}", *parts))
    return found


def _drawing(svg: str, label: str) -> Markup:
    """A drawing brings a style of its own: a shadow root keeps it from the page's, and the other way round."""
    inner = Markup(svg[svg.index("<svg") :] if "<svg" in svg else "")
    return tag("div", tag("template", inner, shadowrootmode="open"), class_="drawing scroll", tabindex=0, role="img",
               aria_label=f"Drawing of the circuit {label}")  # fmt: skip


def _texts(gathered: Sequence[System]) -> list[Markup]:
    """The experiments as recorded, each once, and the machines."""
    runs: list[Evidence] = [run for system in gathered for run in system.runs]
    experiments = dict.fromkeys(run.experiment_text for run in runs if run.experiment_text.strip())
    found = [_text("The experiment (YAML)", text) for text in experiments]
    machines = dict.fromkeys(
        "\n".join(f"{k}: {v}" for k, v in run.environment.items()) for run in runs if run.environment
    )
    return [*found, *(_text("The machine and its versions", text) for text in machines)]


def _text(summary: str, text: str) -> Markup:
    """A recorded text as it stands, folded; one that would make the page heavy is cut."""
    left = len(text) - MOST_TEXT
    cut = text if left <= 0 else f"{text[:MOST_TEXT]}\n... {left:,} characters more in the recording"
    return tag("details", tag("summary", summary), tag("pre", cut, tabindex=0), class_="text")
