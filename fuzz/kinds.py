"""The kinds of input: how each is made, and what is done with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from . import corpus, equations, mutations, odd, options, schemas, targets


@dataclass(frozen=True)
class Kind:
    """One kind of input. `share`: how many of all inputs are of it, beside the shares of the others."""

    strategy: st.SearchStrategy[Any]
    target: Callable[..., targets.Refusal]
    share: int


def kinds() -> dict[str, Kind]:
    """All kinds by name."""
    compact, explicit, learning, experiments = (
        corpus.compact(),
        corpus.explicit(),
        corpus.learning(),
        corpus.experiments(),
    )
    circuits = (*compact, *explicit)
    return {
        "compact circuits, tokens changed": Kind(mutations.tokens(compact), targets.circuit, 2),
        "compact circuits, branches changed": Kind(mutations.trees(compact), targets.circuit, 2),
        "explicit circuits, tokens changed": Kind(mutations.tokens(explicit), targets.circuit, 8),
        "explicit circuits, branches changed": Kind(mutations.trees(explicit), targets.circuit, 4),
        "circuits from the schema": Kind(schemas.trees("circuit"), targets.circuit, 3),
        "learning systems, tokens changed": Kind(mutations.tokens(learning), targets.learning, 8),
        "learning systems, branches changed": Kind(mutations.trees(learning), targets.learning, 3),
        "learning systems from the schema": Kind(schemas.trees("learning"), targets.learning, 3),
        "learning systems, equations changed": Kind(_with_equations(), targets.learning, 2),
        "experiments, tokens changed": Kind(mutations.tokens(experiments), targets.experiment, 3),
        "experiments, branches changed": Kind(mutations.trees(experiments), targets.experiment, 2),
        "experiments from the schema": Kind(schemas.trees("experiment"), targets.experiment, 3),
        "options and arithmetic": Kind(options.circuits(), targets.circuit, 2),
        "options given by the caller": Kind(_with_given(compact[0]), lambda drawn: targets.circuit(*drawn), 1),
        "equations": Kind(equations.rules(), targets.rule, 36),
        "files of odd bytes": Kind(mutations.noise(circuits), targets.file, 8),
        "the command line on odd bytes": Kind(mutations.noise(circuits), targets.command, 1),
        "text at random": Kind(st.text(alphabet=st.characters(), max_size=200), targets.circuit, 8),
        "data at random": Kind(odd.values().map(mutations.as_json), targets.circuit, 8),
    }


def _with_given(text: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A circuit, and options as a caller gives them."""
    return options.given().map(lambda given: (text, given))


def _with_equations() -> st.SearchStrategy[str]:
    """A learning system whose rules are other equations."""

    @st.composite
    def made(draw: st.DrawFn) -> str:
        rule = st.sampled_from(corpus.equations()) | equations.rules()
        modes = {"engaged": {"forward": draw(rule), "gain": draw(rule), "bias": draw(rule), "feedback": draw(rule)}}
        return mutations.as_json(
            {"name": "drawn", "modes": modes, "parameters": {"decay": 0.1, "r": draw(odd.numbers())}}
        )

    return made()
