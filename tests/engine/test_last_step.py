"""The last step is read as it was: by its own memory, and by what was watched."""

import numpy as np
import pytest

import counterstream as cs
from counterstream.engine import SimulationError
from counterstream.engine.simulator import Simulator

from .exact import Exact
from .nets import close, plain, plain_batch, residual, residual_batch, simulate

MOMENTUM = cs.Consolidation(rate=0.1, momentum=0.9)


@pytest.fixture(scope="module")
def stepped() -> tuple[Simulator, Exact]:
    sim = simulate(residual(), consolidation=MOMENTUM)
    sim.step(*residual_batch(seed=5))
    exact = Exact(sim, *residual_batch())
    sim.step(*residual_batch())
    return sim, exact


def test_read_gives_every_compartment_as_it_was_in_the_step(stepped: tuple[Simulator, Exact]) -> None:
    """Consolidation has moved every weight by then; what is read is what the rules saw."""
    sim, exact = stepped
    names = [name for name in exact if not name.endswith(".before")]
    assert len(names) > 20
    for name in names:
        close(sim.read(name), exact[name].detach().numpy(), 1e-11, name)


def test_read_gives_every_error_as_autograd_does(stepped: tuple[Simulator, Exact]) -> None:
    sim, exact = stepped
    for partner in sim.compiled.graph.feedback:
        name = sim.circuit.populations[partner].partner
        close(sim.read(f"{partner}.rate"), exact[f"{name}.soma"].grad.numpy(), 1e-9, partner)
        if f"{name}.before" in exact:
            close(sim.read(f"{partner}.gated"), exact[f"{name}.before"].grad.numpy(), 1e-9, partner)
            close(sim.read(f"{partner}.soma"), exact[f"{name}.rate"].grad.numpy(), 1e-9, partner)


def test_apical_is_the_partners_rate(stepped: tuple[Simulator, Exact]) -> None:
    sim, _ = stepped
    np.testing.assert_array_equal(sim.read("hidden1.apical"), sim.read("hidden1~.rate"))
    kolen = simulate(residual(learning="kolen_pollack"))
    kolen.step(*residual_batch())
    np.testing.assert_array_equal(kolen.read("hidden1~.apical"), kolen.read("hidden1.rate"))


def test_watched_compartments_are_kept_in_the_step_itself() -> None:
    watch = ("hidden1.rate", "hidden1~.rate", "image.rate", "top.drive")
    sim, plain_sim = simulate(residual(), watch=watch), simulate(residual())
    for seed in (0, 1):
        for each in (sim, plain_sim):
            each.step(*residual_batch(seed=seed))
        for name in (*watch, "sum2.soma"):
            np.testing.assert_array_equal(sim.read(name), plain_sim.read(name))
    assert sim.compiled.modes["engaged"].observe.count("project") == plain_sim.compiled.modes["engaged"].observe.count(
        "project"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("v1", "read takes 'POPULATION.COMPARTMENT' (got 'v1'). Did you mean 'v1'?"),
        ("v9.rate", "read takes 'POPULATION.COMPARTMENT' (got 'v9.rate'). Did you mean"),
        ("v1.drive", "'v1' has no 'drive'. Did you mean"),
        ("v1.rte", "'v1' has no 'rte'. Did you mean 'rate'? compartments: soma, rate, apical"),
        ("v1~.gate", "'v1~' has no 'gate'. Did you mean 'gated'? compartments: soma, gated, rate"),
    ],
)
def test_reading_what_is_not_there(name: str, message: str) -> None:
    sim = simulate(plain())
    sim.step(*plain_batch())
    with pytest.raises(SimulationError) as caught:
        sim.read(name)
    assert message.partition(" Did")[0] in str(caught.value)
    assert message.partition("? ")[2] in str(caught.value)
    with pytest.raises(cs.CircuitError, match=r"read takes|has no"):
        simulate(plain(), watch=[name])
