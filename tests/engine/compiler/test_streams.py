"""The two streams as operations: what stands in a mode's program, and what is refused."""

import pytest

import counterstream as cs
from counterstream.engine.compiler.compile import CompiledCircuit, compile_circuit

from ..nets import SYSTEMS, plain, residual


def observed(system: str) -> CompiledCircuit:
    return compile_circuit(residual(learning=system))


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_projection_is_run_once_in_each_direction(system: str) -> None:
    compiled = observed(system)
    program, graph = compiled.modes["engaged"].observe, compiled.graph
    reverses = sum(p.reverse_of is not None and graph.weighted(label) for label, p in graph.projections.items())
    kernels = sum(map(graph.weighted, graph.projections)) - reverses
    geometries = [(value.operation, dict(value.attributes).get("geometry")) for value in program]
    laid = [operation for operation, geometry in geometries if geometry and geometry.weight_shape]
    assert (laid.count("project"), laid.count("project_back")) == (kernels, reverses)
    assert kernels == (15 if system == "direct_feedback_alignment" else 7)
    assert laid.count("correlate") == 7  # one for every forward kernel, whoever learns by it


def test_equal_skips_are_one_value() -> None:
    """What `stem` hands to `entry1` and to `sum1` is the same activity: nothing is copied twice."""
    program = observed("backprop").modes["engaged"].observe
    skips = [p for p in observed("backprop").graph.projections.values() if p.source == "stem"]
    assert len(skips) == 2
    assert sum(value.operation == "project" and value.shape == (4, 9, 9) for value in program) == 4


def test_nothing_flows_back_to_the_image() -> None:
    program = observed("backprop").modes["engaged"].observe
    assert not any(value.operation == "project_back" and value.shape == (2, 9, 9) for value in program)


def test_fixed_feedback_costs_no_correlation_and_tied_feedback_no_state() -> None:
    for system, weights in (("feedback_alignment", 13), ("backprop", 7), ("sign_symmetry", 7), ("kolen_pollack", 13)):
        states = observed(system).states
        assert sum(name.startswith("weights/") for name in states) == weights, system


def test_predict_and_evaluate_read_running_statistics_and_write_nothing() -> None:
    compiled = observed("kolen_pollack")
    for program in (compiled.predict, compiled.evaluate):
        assert program.count("normalize") == 0
        assert program.count("normalize_fixed") == 5
        assert program.count("correlate") == program.count("project_back") == 0
        assert not any(name.endswith("~") for name in program.inputs)
    assert set(compiled.predict.results) == {"rate/answer"}
    assert not any(name.startswith("label/") for name in compiled.predict.inputs)


def test_predict_without_outputs_gives_the_last_populations() -> None:
    text = """
populations: {x: {input: [4]}, y: {}, left: {}, right: {}}
projections:
  - {from: x, to: y, wiring: {dense: {size: 3}}}
  - {from: y, to: left, wiring: one_to_one}
  - {from: y, to: right, wiring: one_to_one}
"""
    assert set(compile_circuit(cs.loads(text)).predict.results) == {"rate/left", "rate/right"}


def test_the_shadow_shares_its_activities_with_the_circuit() -> None:
    compiled = observed("feedback_alignment")
    shadow, alone = compiled.alignment, compiled.modes["engaged"].observe
    assert shadow.count("project") == alone.count("project")
    assert shadow.count("normalize") == alone.count("normalize")
    assert shadow.count("correlate") == 0
    # of the exact stream, only what differs: with exact feedback nothing does
    exact = observed("backprop").alignment
    assert exact.count("project_back") == compiled.modes["engaged"].observe.count("project_back")


MODES = """
populations:
  x: {input: [3]}
  y: {bias: false}
projections:
  - {name: day, from: x, to: y, wiring: {dense: {size: 2}}, modes: [awake], rules: {awake: "post.rate * pre.rate"}}
  - {name: night, from: x, to: y, wiring: {dense: {size: 2}}, modes: [dream], rules: {dream: "-post.rate * pre.rate"}}
modes: {awake: {}, dream: {}}
"""


def test_a_projection_conducts_in_its_modes_only() -> None:
    compiled = compile_circuit(cs.loads(MODES))
    for mode, label, other in (("awake", "day", "night"), ("dream", "night", "day")):
        inputs = compiled.modes[mode].observe.inputs
        assert f"weights/{label}" in inputs
        assert f"weights/{other}" not in inputs
    assert compiled.data_mode == "awake"


def test_a_population_that_nothing_reaches_in_a_mode_is_named() -> None:
    silent = MODES.replace("modes: {awake: {}, dream: {}}", "modes: {awake: {}, dream: {}, coma: {}}")
    with pytest.raises(cs.CircuitError, match="nothing conducts to 'y' in mode 'coma'"):
        compile_circuit(cs.loads(silent))


def test_plain_circuits_have_no_statistics() -> None:
    assert not any("running" in name for name in compile_circuit(plain()).states)


def test_a_clamp_on_data_needs_what_drives() -> None:
    explicit = cs.expand(cs.load("mlp", learning="information_alignment"))
    loose = explicit.model_copy(update={"cross": [cross for cross in explicit.cross if cross.role != "drive"]})
    with pytest.raises(cs.CircuitError, match="nothing drives 'answer~' in mode 'align': say clamp: partner"):
        compile_circuit(loose)
