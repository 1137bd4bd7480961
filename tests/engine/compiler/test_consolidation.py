"""What synapses do with their drives, against torch.optim for any numbers, and by hand where it has no like."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import counterstream as cs
from counterstream.circuits.wiring import Conv, Geometry
from counterstream.engine.backends import load_engine
from counterstream.engine.compiler.consolidation import Learner, consolidation_program, hyperparameters, trace_states

ENGINE = load_engine("reference")


def learner(**changes: object) -> Learner:
    usual = {"state": "w", "mode": "m", "shape": (3,), "driven": True, "decay": 0.0, "consolidation": "common"}
    return Learner(**{**usual, **changes})


def run(one: Learner, common: cs.Consolidation, w: np.ndarray, drives: list[np.ndarray]) -> dict[str, np.ndarray]:
    """The states after a step for each drive."""
    execute = ENGINE.compile(consolidation_program("test", [one], common))
    state = {"w": w, **{name: np.zeros(spec.shape) for name, spec in trace_states([one], common).items()}}
    for step, drive in enumerate(drives, start=1):
        hyper = {name: np.array(value) for name, value in hyperparameters(common, 1.0, step).items()}
        state |= execute({**state, **hyper, "drive/w": drive})
    return state


settings = st.one_of(
    st.builds(
        lambda rate, momentum, nesterov: cs.Consolidation(
            rate=rate, momentum=momentum, nesterov=nesterov and momentum > 0
        ),
        st.floats(0.01, 1),
        st.sampled_from([0.0, 0.3, 0.9]),
        st.booleans(),
    ),
    st.builds(
        lambda rate, beta, epsilon: cs.Consolidation(optimizer="adamw", rate=rate, betas=(beta, 0.95), epsilon=epsilon),
        st.floats(0.01, 1),
        st.sampled_from([0.0, 0.5, 0.9]),
        st.sampled_from([1e-8, 1e-2]),
    ),
)


@given(settings, st.sampled_from([0.0, 0.1]), st.integers(0, 2**20))
def test_equals_torch_optim(how: cs.Consolidation, decay: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    w, drives = random.normal(size=3), list(random.normal(size=(4, 3)))
    parameter = torch.nn.Parameter(torch.from_numpy(w.copy()))
    if how.optimizer == "adamw":
        optimizer: torch.optim.Optimizer = torch.optim.AdamW(
            [parameter], lr=how.rate, betas=how.betas, eps=how.epsilon, weight_decay=decay
        )
    else:
        optimizer = torch.optim.SGD(
            [parameter], lr=how.rate, momentum=how.momentum, nesterov=how.nesterov, weight_decay=decay
        )
    for drive in drives:
        parameter.grad = -torch.from_numpy(drive)
        optimizer.step()
    found = run(learner(decay=decay), how, w, drives)["w"]
    np.testing.assert_allclose(found, parameter.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_addition_is_plain_whatever_the_others_do() -> None:
    w, drive = np.array([1.0, -2.0, 0.5]), np.array([0.1, 0.2, 0.3])
    for common in (cs.Consolidation(momentum=0.9, rate=7), cs.Consolidation(optimizer="adamw")):
        one = learner(consolidation="addition", decay=0.1)
        assert not trace_states([one], common)
        found = run(one, common, w, [drive])
        np.testing.assert_allclose(found["w"], w + drive - 0.1 * w)
        assert "rate" not in consolidation_program("test", [one], common).inputs


def test_plain_sgd_keeps_no_trace() -> None:
    assert trace_states([learner()], cs.Consolidation()).keys() == set()
    assert trace_states([learner()], cs.Consolidation(momentum=0.9)).keys() == {"trace/m/w"}
    assert trace_states([learner()], cs.Consolidation(optimizer="adamw")).keys() == {"trace/m/w", "trace2/m/w"}


@pytest.mark.parametrize(
    "how", [cs.Consolidation(rate=0.5, momentum=0.9), cs.Consolidation(optimizer="adamw", rate=0.5)]
)
def test_decay_alone_shrinks(how: cs.Consolidation) -> None:
    w = np.array([1.0, -2.0, 0.5])
    program = consolidation_program("test", [learner(driven=False, decay=0.1)], how)
    assert "drive/w" not in program.inputs
    np.testing.assert_allclose(run(learner(driven=False, decay=0.1), how, w, [w])["w"], 0.95 * w)


@pytest.mark.parametrize(
    "how",
    [
        cs.Consolidation(rate=1.0),
        cs.Consolidation(rate=1.0, momentum=0.5),
        cs.Consolidation(optimizer="adamw", rate=1.0),
    ],
)
def test_taps_that_are_no_synapses_do_not_decay(how: cs.Consolidation) -> None:
    conv = Geometry(Conv(channels=1, kernel=3), (1, 1, 1), (1, 1, 1))
    one = learner(shape=(1, 1, 3, 3), driven=False, decay=0.1, geometry=conv)
    found = run(one, how, np.ones((1, 1, 3, 3)), [np.zeros((1, 1, 3, 3))])["w"]
    expected = np.ones((1, 1, 3, 3))
    expected[0, 0, 1, 1] = 0.9
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("how", [cs.Consolidation(momentum=0.9), cs.Consolidation(optimizer="adamw")])
def test_immediate_consolidation_follows_every_read(how: cs.Consolidation) -> None:
    """No program of observations writes a weight, and no program of consolidation reads an activity."""
    from counterstream.engine.compiler.compile import compile_circuit

    for system in ("backprop", "sign_symmetry", "weight_mirror", "kolen_pollack"):
        compiled = compile_circuit(cs.load("digits_resnet", learning=system), how)
        for programs in compiled.modes.values():
            assert not any(
                name.startswith(("weights/", "gain/", "bias/", "trace")) for name in programs.observe.results
            )
            assert {value["role"] for value in programs.consolidate.inputs.values()} <= {"state", "hyper"}
            assert not any(value.batched for value in programs.consolidate)
