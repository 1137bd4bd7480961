"""How much noise a mode asks for, and the factors that small padded maps put on the angle."""

from math import ceil, radians, sqrt, tan

import numpy as np
import pytest

import counterstream as cs
from counterstream.circuits.declarations import Noise
from counterstream.circuits.wiring import Conv, Dense, Geometry
from counterstream.engine.compiler.compile import compile_circuit
from counterstream.engine.compiler.mirror import expected_angle_tangent, maps_needed, noise_of_one_map
from counterstream.testing.conformance.loops import counts, synapses


def conv(channels: int, side: int, out: int, kernel: int = 3, **how: int) -> Geometry:
    wiring = Conv(channels=out, kernel=kernel, **how)
    lower = (channels, side, side)
    return Geometry(wiring, lower, wiring.target_shape(lower))


@pytest.mark.parametrize(
    ("geometry", "factor"),
    [
        (conv(16, 8, 16), 1.03),
        (conv(16, 8, 16, stride=2), 1.06),
        (conv(16, 2, 16), 1.11),
        (conv(16, 4, 16, stride=2), 1.22),
        (conv(16, 8, 16, padding=0), 1.0),
        (conv(16, 5, 16, kernel=1), 1.0),
    ],
    ids=["3x3 on 8x8", "stride 2 to 4x4", "3x3 on 2x2", "stride 2 to 2x2", "no padding", "1x1"],
)
def test_factor_of_padded_maps_on_the_tangent(geometry: Geometry, factor: float) -> None:
    found = sqrt(geometry.single_map_noise / (geometry.fan_in / geometry.positions))
    assert found == pytest.approx(factor, abs=0.006)


ODD = (
    conv(4, 7, 6),
    conv(4, 4, 6, stride=2),
    conv(4, 1, 6),
    conv(6, 5, 4, groups=2),
    conv(3, 6, 2, kernel=2, padding=1, dilation=2),
    Geometry(Dense(size=3), (2, 2, 2), (3,)),
)


@pytest.mark.parametrize("geometry", ODD, ids=str)
def test_single_map_noise_by_finite_loops(geometry: Geometry) -> None:
    """Of each tap: the sum over its synapses of how many synapses their target has, over the square of their number."""
    onto: dict[tuple[int, ...], int] = {}
    for _, _, upper in synapses(geometry):
        onto[upper] = onto.get(upper, 0) + 1
    total, shared = np.zeros(geometry.weight_shape), counts(geometry)
    for weight, _, upper in synapses(geometry):
        total[weight] += onto[upper]
    seen = shared > 0
    assert geometry.single_map_noise == pytest.approx((total[seen] / shared[seen] ** 2).mean(), rel=1e-12)


SHARED = Geometry(Dense(shared=True), (6, 3, 2), (4, 3, 5))
"""Its positions all see the same source: 15 of them, and one sample."""


def fired(kind: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """White noise of variance 1."""
    match kind:
        case "normal":
            return random.normal(size=shape)
        case "uniform":
            return random.uniform(-sqrt(3), sqrt(3), size=shape)
        case _:
            return random.choice([-1.0, 1.0], size=shape)


KINDS = ("normal", "uniform", "rademacher")


@pytest.mark.parametrize("kind", KINDS)
def test_kurtosis_of_noise(kind: str) -> None:
    x = fired(kind, (400_000,), np.random.default_rng(0))
    assert (x**4).mean() == pytest.approx(Noise(noise=kind).kurtosis, rel=0.02)
    assert (x**2).mean() == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("geometry", [*ODD[:4], SHARED], ids=["7x7", "strided", "1x1", "grouped", "dense shared"])
def test_noise_of_one_map_by_simulation(geometry: Geometry, kind: str) -> None:
    """The spread of what single maps of white noise show of a weight, against the mean square of the weights that are
    seen. All weights are as large as each other, and so are their squares.
    """
    random, maps = np.random.default_rng(0), 4000
    weight = random.choice([-1.0, 1.0], size=geometry.weight_shape)
    noise = fired(kind, (maps, *geometry.lower), random)
    soma = np.zeros((maps, *geometry.upper))
    listed, shared = list(synapses(geometry)), counts(geometry)
    for w, low, up in listed:
        soma[:, *up] += weight[w] * noise[:, *low]
    shown = np.zeros((maps, *weight.shape))
    for w, low, up in listed:
        shown[:, *w] += noise[:, *low] * soma[:, *up] / shared[w]
    spread = shown.var(axis=0)[shared > 0].mean()
    assert spread == pytest.approx(noise_of_one_map(geometry, Noise(noise=kind).kurtosis), rel=0.05)


@pytest.mark.parametrize("answer", ["linear", "relu"])
@pytest.mark.parametrize("kind", KINDS)
def test_few_inputs_show_the_kurtosis(kind: str, answer: str) -> None:
    """A dense layer of 4 inputs: n + k - 2 is 5, 3.8 and 3, through a rectifier 11, 8.6 and 7 (not 4 and 8)."""
    random = np.random.default_rng(0)
    weight = random.choice([-1.0, 1.0], size=(20, 4))
    noise = fired(kind, (100_000, 4), random)
    slope = 1.0 if answer == "linear" else 0.5
    soma = noise @ weight.T
    rate = soma if answer == "linear" else np.maximum(soma, 0)
    shown = np.einsum("no,ni->noi", rate / slope, noise)
    np.testing.assert_allclose(shown.mean(axis=0), weight, atol=0.05)
    expected = noise_of_one_map(Geometry(Dense(size=20), (4,), (20,)), Noise(noise=kind).kurtosis, answer)
    assert shown.var(axis=0).mean() == pytest.approx(expected, rel=0.02)


def programs(samples: str, r: float = 0.1, answers: str = "soma") -> cs.Circuit:
    return cs.loads(f"""
populations:
  image: {{input: [4, 6, 6]}}
  a: {{transfer: relu}}
  b: {{transfer: relu}}
  answer: {{transfer: softmax}}
projections:
  - {{from: image, to: a, wiring: {{conv: {{channels: 8, kernel: 3}}}}}}
  - {{from: a, to: b, wiring: {{conv: {{channels: 8, kernel: 3, stride: 2}}}}}}
  - {{from: b, to: answer, wiring: {{dense: {{size: 5}}}}}}
learning:
  name: mirror
  modes:
    engaged: {{forward: "-post.apical * pre.rate"}}
    mirror:
      one_at_a_time: projection
      fires: {{noise: normal}}
      answers: {answers}
      clamp: partner
      samples: {samples}
      feedback: {{dw: "r * (post.rate * pre.rate / (variance * slope) - w)", positions: mean}}
  parameters: {{r: {r}}}
""")


def maps_of(circuit: cs.Circuit) -> dict[str, int]:
    return {noise.name.removeprefix("noise/"): noise.maps for noise in compile_circuit(circuit).modes["mirror"].noise}


def test_per_input_counts_positions_as_samples() -> None:
    assert maps_of(programs("{per_input: 4}")) == {"a->b": ceil(4 * 72 / 9), "b->answer": 4 * 72}


def test_per_input_counts_no_position_that_repeats_a_sample() -> None:
    text = """
populations: {x: {input: [5]}, a: {transfer: relu}, b: {shape: [3, 4, 4], transfer: relu}, y: {transfer: softmax}}
projections:
  - {from: x, to: a, wiring: {dense: {size: 7}}}
  - {from: a, to: b, wiring: {dense: {shared: true}}}
  - {from: b, to: y, wiring: {dense: {size: 2}}}
"""
    system = programs("{per_input: 4}").learning
    assert maps_of(cs.loads(text, learning=system)) == {"a->b": 4 * 7, "b->y": 4 * 48}


def test_maps_are_maps() -> None:
    assert maps_of(programs("{maps: 3}")) == {"a->b": 3, "b->answer": 3}


@pytest.mark.parametrize("answers", ["soma", "rate"])
@pytest.mark.parametrize("degrees", [5, 12])
def test_a_target_angle_gives_the_fewest_maps_that_meet_it(degrees: float, answers: str) -> None:
    compiled = compile_circuit(programs(f"{{target_angle: {degrees}}}", r=0.2, answers=answers))
    mode = compiled.circuit.modes["mirror"]
    for plasticity in compiled.plasticity:
        if plasticity.mode == "mirror":
            original = plasticity.subject.removesuffix("~")
            geometry = compiled.graph.geometries[original]
            answer = "relu" if answers == "rate" and original == "a->b" else "linear"
            maps = maps_needed(mode, geometry, plasticity, answer)
            assert maps_of(compiled.circuit)[original] == maps
            tangent = expected_angle_tangent(mode, geometry, plasticity, answer)
            assert tangent <= tan(radians(degrees))
            assert tangent * sqrt(maps / (maps - 1)) > tan(radians(degrees))
            by_hand = sqrt(noise_of_one_map(geometry, 3.0, answer) * 0.2 / (1.8 * maps))
            assert tangent == pytest.approx(by_hand)


@pytest.mark.parametrize("r", [0.05, 0.1, 0.4, 1.0])
def test_arithmetic_times_lag_is_a_constant_of_the_layer(r: float) -> None:
    """Maps a step times (lag + 1/2), lag = 1/r - 1, are q / (2 tan^2) for every r, up to the rounding to whole maps."""
    compiled = compile_circuit(programs("{target_angle: 2}", r=r))
    for label, maps in maps_of(compiled.circuit).items():
        q = noise_of_one_map(compiled.graph.geometries[label], kurtosis=3.0)
        constant = q / (2 * tan(radians(2)) ** 2)
        assert maps == ceil(constant / (1 / r - 1 / 2))


@pytest.mark.parametrize("r", [0.0, 2.0])
def test_a_target_angle_needs_a_leak_below_two(r: float) -> None:
    with pytest.raises(cs.CircuitError, match="target_angle needs a rule with a leak"):
        compile_circuit(programs("{target_angle: 8}", r=r))


def test_a_mirror_that_nothing_clamps_is_refused() -> None:
    text = programs("{maps: 3}")
    explicit = cs.expand(text)
    bare = explicit.model_copy(update={"cross": [cross for cross in explicit.cross if cross.role != "drive"]})
    with pytest.raises(
        cs.CircuitError, match=r"nothing drives '\w+~' in mode 'mirror': say clamp: partner in the mode"
    ):
        compile_circuit(bare)
