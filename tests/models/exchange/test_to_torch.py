"""A compiled circuit as a torch module: what it returns, how it learns, what it is called, and that it comes back."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import counterstream as cs
from counterstream.circuits.declarations import Circuit
from counterstream.circuits.yamlfile import Document
from counterstream.engine.simulator import Simulator
from counterstream.models.exchange import ExchangeError, from_torch, to_torch
from counterstream.models.library import load_document
from counterstream.testing.strategies import declared

from ...engine.nets import SYSTEMS, close, masks, residual, residual_batch, simulate
from .nets import Array, Mask, answer, assert_same, descend, images, objective

SAMPLES = 3


@dataclass
class Drawn:
    """A simulator with states that are not at their start, and a batch."""

    sim: Simulator
    images: Array
    target: Array
    loss: str


@st.composite
def drawn(draw: st.DrawFn, learning: str | None = None) -> Drawn:
    document = Document(draw(declared(dead_ends=False)), "drawn")
    system = learning or draw(st.sampled_from(SYSTEMS))
    circuit = load_document(document, learning=system, parameters={"decay": 0.0})  # torch decays unseen taps too
    sim = simulate(circuit, consolidation=cs.Consolidation(rate=1.0))
    seed = draw(st.integers(0, 100))
    random = np.random.default_rng(seed)
    for name in sim.compiled.states:
        value = sim.get_state(name)
        spread = random.uniform(0.5, 1.5, value.shape) if name.startswith(("gain", "running_v")) else None
        sim.set_state(name, random.normal(0, 0.3, value.shape) if spread is None else spread)
    graph = sim.compiled.graph
    (output,) = graph.outputs
    loss = str(graph.populations[output].output_loss)
    (classes,) = graph.shapes[output]
    target = (
        random.integers(0, classes, SAMPLES) if loss == "cross_entropy" else random.uniform(size=(SAMPLES, classes))
    )
    return Drawn(sim, random.normal(size=(SAMPLES, *graph.shapes["image"])), target, loss)


def rates(module: nn.Module, drawn: Drawn) -> Array:
    """What the module predicts, as the circuit's output rate."""
    found = answer(module, drawn.images)
    return torch.from_numpy(found).softmax(1).numpy() if drawn.loss == "cross_entropy" else found


@given(drawn())
@settings(max_examples=50)
def test_it_predicts_what_the_simulator_predicts(drawn: Drawn) -> None:
    close(rates(to_torch(drawn.sim), drawn), drawn.sim.predict(drawn.images), 1e-10)


@pytest.mark.slow
@given(drawn(learning="backprop"), st.integers(0, 100))
@settings(max_examples=50)
def test_autograd_in_training_mode_is_the_backprop_circuit(drawn: Drawn, seed: int) -> None:
    """One step of both: weights, gains, biases and running statistics stay equal. The same neurons drop out."""
    sim, given = drawn.sim, masks(drawn.sim, SAMPLES, np.random.default_rng(seed))
    module = with_masks(to_torch(sim), sim, given)
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
    loss = descend(module, optimizer, drawn.loss, drawn.images, drawn.target)
    metrics = sim.step(drawn.images, drawn.target, noise=given)
    assert metrics["loss"] == pytest.approx(loss, rel=1e-9)
    assert_same(tensors(module), tensors(to_torch(sim)), 1e-9)


def tensors(module: nn.Module) -> dict[str, Array]:
    return {name: value.numpy() for name, value in module.state_dict().items()}


def with_masks(module: nn.Module, sim: Simulator, given: dict[str, Array]) -> nn.Module:
    """The module with fixed masks in the place of its dropout."""
    for name, mask in given.items():
        path = f"{name}.dropout"
        parent = module.get_submodule(name)
        old = module.get_submodule(path)
        assert isinstance(old, nn.Dropout)
        parent.dropout = Mask(mask, sim.circuit.populations[name].dropout)
    return module


NO_WAY_BACK = ("reshape", "expand", "pad(")
"""A row of currents laid out as maps, and zeros around channels: a circuit has no words for these calls alone."""


@pytest.mark.slow
@given(drawn())
@settings(max_examples=50)
def test_it_comes_back(drawn: Drawn) -> None:
    """from_torch(to_torch(sim)) predicts the same, wherever torch's words for it have one meaning here."""
    module = to_torch(drawn.sim)
    if any(word in module.code for word in NO_WAY_BACK):
        with pytest.raises(ExchangeError, match=r"cannot be said|got a view as"):
            from_torch(module, drawn.images.shape[1:])
        return
    network = from_torch(module, drawn.images.shape[1:], loss=drawn.loss)  # type: ignore[arg-type]
    again = cs.compile(network.circuit, dtype="float64", state=network.state)
    close(again.predict(drawn.images), drawn.sim.predict(drawn.images), 1e-10)


@pytest.mark.parametrize("learning", SYSTEMS)
def test_any_learning_system(learning: str) -> None:
    sim = simulate(residual(learning=learning))
    for step in range(2):
        sim.step(*residual_batch(seed=step))
    x = residual_batch(seed=5)[0]
    close(torch.from_numpy(answer(to_torch(sim), x)).softmax(1).numpy(), sim.predict(x), 1e-12)


def test_an_explicit_circuit() -> None:
    circuit = cs.expand(residual())
    sim = simulate(circuit)
    x = residual_batch()[0]
    close(torch.from_numpy(answer(to_torch(sim), x)).softmax(1).numpy(), sim.predict(x), 1e-12)


def test_training_mode_returns_logits_of_the_batch() -> None:
    sim = simulate(residual())
    module, (x, target) = to_torch(sim).train(), residual_batch()
    logits = module(torch.from_numpy(x))
    assert sim.step(x, target)["loss"] == pytest.approx(objective("cross_entropy", logits, target).item(), rel=1e-12)
    close(logits.detach().numpy(), sim.read("answer.soma"), 1e-12)  # its bias is still 0


NAMED = """
name: my-net 2
populations:
  image: {input: [2, 5, 5]}
  v1: {normalize: batch, transfer: relu}
  v2: {transfer: tanh, dropout: 0.25}
  answer: {transfer: softmax}
projections:
  - {from: image, to: v1, wiring: {conv: {channels: 3, kernel: 3}}}
  - {name: stage.conv, from: v1, to: v2, wiring: {conv: {channels: 4, kernel: 3}}, plastic: false}
  - {from: v2, to: answer, wiring: {dense: {size: 3}}}
learning: kolen_pollack
"""


def test_names_and_parameters_that_do_not_learn() -> None:
    module = to_torch(simulate(cs.loads(NAMED)))
    assert type(module).__name__ == "MyNet2"
    assert list(module.state_dict()) == [
        *("v1.conv.weight", "v1.norm.weight", "v1.norm.bias", "v1.norm.running_mean", "v1.norm.running_var"),
        *("v1.norm.num_batches_tracked", "stage.conv.weight", "stage.conv.bias"),
        *("answer.dense.weight", "answer.dense.bias"),
    ]
    assert isinstance(module.get_submodule("v2.dropout"), nn.Dropout)
    assert [name for name, p in module.named_parameters() if not p.requires_grad] == ["stage.conv.weight"]


def test_its_tensors_are_copies() -> None:
    sim = simulate(residual())
    module = to_torch(sim)
    before = sim.state_dict()
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.fill_(7)
    assert_same(sim.state_dict(), before, 0)


def test_names_that_torch_needs_itself_give_way() -> None:
    """`train`, `half` and `graph` mean something to a module, `lambda` to Python; in a circuit they are names."""
    circuit = cs.loads(
        """
        populations:
          lambda: {input: 3}
          train: {transfer: tanh}
          train.half: {transfer: tanh, normalize: batch}
          graph: {transfer: tanh}
          y: {loss: squared}
        projections:
          - {from: lambda, to: train, wiring: {dense: {size: 4}}}
          - {name: half, from: train, to: train.half, wiring: {dense: {size: 4}}}
          - {name: 0..code>, from: train.half, to: graph, wiring: {dense: {size: 4}}}
          - {name: meta, from: train.half, to: graph, wiring: {dense: {size: 4}}}
          - {from: graph, to: y, wiring: {dense: {size: 2}}}
        learning: backprop
        """
    )
    sim, x = simulate(circuit), images(4, 3)
    close(answer(to_torch(sim), x), sim.predict(x), 1e-12)
    keys = {key.rpartition(".")[0] for key in to_torch(sim).state_dict()}
    assert keys == {"train_.dense", "half_", "train_.half_.norm", "0.code_", "meta_", "y.dense"}


def test_shared_weights_are_one_layer_that_runs_twice() -> None:
    circuit = cs.loads(
        """
        populations:
          image: {input: [2, 4, 4]}
          a: {transfer: relu}
          b: {transfer: relu}
          y: {loss: squared}
        projections:
          - {name: first, from: image, to: a, wiring: {conv: {channels: 2, kernel: 3}}}
          - {name: second, from: a, to: b, wiring: {conv: {channels: 2, kernel: 3}}, weights: {same_as: first}}
          - {from: b, to: y, wiring: {dense: {size: 2}}}
        learning: backprop
        """
    )
    sim, x = simulate(circuit), images(4, 2, 4, 4)
    sim.biases["a"], sim.biases["b"] = [0.1, -0.2], [0.3, 0.1]
    module = to_torch(sim)
    close(answer(module, x), sim.predict(x), 1e-12)
    assert [key for key in module.state_dict() if "weight" in key] == ["first.weight", "y.dense.weight"]
    close(answer(to_torch(from_and_back(module, x)), x), sim.predict(x), 1e-12)


def from_and_back(module: nn.Module, x: Array) -> Simulator:
    network = from_torch(module, x.shape[1:], loss="squared")
    return cs.compile(network.circuit, dtype="float64", state=network.state)


def test_several_inputs_and_outputs() -> None:
    circuit = cs.loads(
        """
        populations:
          left: {input: 2}
          right: {input: 3}
          sum: {transfer: tanh}
          y: {loss: squared}
          z: {transfer: softmax}
        projections:
          - {from: left, to: sum, wiring: {dense: {size: 4}}}
          - {from: right, to: sum, wiring: {dense: {size: 4}}}
          - {from: sum, to: y, wiring: {dense: {size: 2}}}
          - {from: sum, to: z, wiring: {dense: {size: 3}}}
        learning: backprop
        """
    )
    sim, left, right = simulate(circuit), images(5, 2), images(5, 3, seed=1)
    with torch.no_grad():
        found = to_torch(sim).eval()(torch.from_numpy(left), torch.from_numpy(right))
    expected = sim.predict({"left": left, "right": right})
    close(found["y"].numpy(), expected["y"], 1e-12)
    close(found["z"].softmax(1).numpy(), expected["z"], 1e-12)


def test_a_label_population_has_no_place_in_a_module() -> None:
    circuit: Circuit = cs.loads(
        """
        name: told
        populations: {x: {input: 3}, label: {target: 2}, y: {loss: squared}}
        projections:
          - {from: x, to: y, wiring: {dense: {size: 4}}}
          - {from: label, to: y, wiring: {dense: {size: 4}}}
        learning: backprop
        """
    )
    with pytest.raises(ExchangeError, match=r"told: populations\.label: 'label' stands for the label's code"):
        to_torch(simulate(circuit))
