"""A network's weights, in and out under the module's own names; what does not fit is named."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import counterstream as cs
from counterstream.models import with_learning
from counterstream.models.exchange import ExchangeError, as_torchvision, from_torch, to_torch

from .nets import answer, arrays, assert_same, images, lively

SHAPE = (3, 6, 6)


class Net(nn.Module):
    """With a bias in front of normalization, and an auxiliary layer that the forward pass never reads."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten())
        self.head, self.extra = nn.Linear(64, 5), nn.Linear(2, 2)
        lively(self, seed)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x))


def test_a_state_dict_is_complete_and_loads_strictly() -> None:
    one, two = Net(), Net(seed=1)
    network = from_torch(one, SHAPE)
    two.load_state_dict(network.state_dict(), strict=True)
    assert list(network.state_dict()) == list(one.state_dict())
    assert_same(arrays(two.state_dict()), arrays(one.state_dict()), 1e-15)


@pytest.mark.parametrize("without", [("weight", "bias"), ("bias",), ("weight",), ()])
def test_normalization_goes_out_with_the_parameters_that_it_came_with(without: tuple[str, ...]) -> None:
    made = Net()
    for name in without:
        setattr(made.body[1], name, None)
    network = from_torch(made, SHAPE)
    sim = cs.compile(network.circuit, dtype="float64", state=network.state)
    sim.step(images(4, *SHAPE), np.arange(4))
    written = to_torch(sim, network).state_dict()
    made.load_state_dict(written, strict=True)
    batch = images(2, *SHAPE, seed=1)
    expected = torch.from_numpy(answer(made, batch)).softmax(1).numpy()
    np.testing.assert_allclose(sim.predict(batch), expected, atol=1e-12)


def test_load_is_a_new_network_with_other_weights() -> None:
    network = from_torch(Net(), SHAPE)
    other = network.load(Net(seed=1).state_dict())
    batch, twin = images(2, *SHAPE), Net(seed=1)
    sim = cs.compile(other.circuit, dtype="float64", state=other.state)
    logits = sim.predict(batch)
    np.testing.assert_allclose(logits, torch.from_numpy(answer(twin, batch)).softmax(1).numpy(), atol=1e-12)
    assert_same(arrays(network.state_dict()), arrays(Net().state_dict()), 1e-15)


def test_tensors_and_arrays_are_copies() -> None:
    made = Net()
    network = from_torch(made, SHAPE)
    with torch.no_grad():
        for tensor in (*made.state_dict().values(), *network.state_dict().values()):
            tensor.fill_(9)
    assert_same(arrays(network.state_dict()), arrays(Net().state_dict()), 1e-15)


def test_any_learning_system_takes_the_weights() -> None:
    """Feedback weights are drawn as ever; they are no state of the module."""
    network = from_torch(Net(), SHAPE)
    circuit = with_learning(network.circuit, "kolen_pollack")
    sim = cs.compile(circuit, dtype="float64", state=network.state)
    bare = cs.compile(circuit, dtype="float64")
    np.testing.assert_array_equal(sim.weights["head~"], bare.weights["head~"])
    np.testing.assert_array_equal(sim.weights["head"], network.entries["head.weight"])
    sim.step(images(4, *SHAPE), np.arange(4))
    trained = Net()
    trained.load_state_dict(network.state_dict(sim), strict=True)
    batch = images(2, *SHAPE, seed=1)
    expected = torch.from_numpy(answer(trained, batch)).softmax(1).numpy()
    np.testing.assert_allclose(sim.predict(batch), expected, atol=1e-12)


def test_statistics_count_steps_with_data_only() -> None:
    network = from_torch(Net(), SHAPE, learning="weight_mirror")
    sim = cs.compile(network.circuit, state=network.state)
    sim.run("mirror", steps=2)
    sim.step(images(4, *SHAPE), np.arange(4))
    assert network.state_dict(sim)["body.1.num_batches_tracked"] == 1
    assert to_torch(sim, network).state_dict()["body.1.num_batches_tracked"] == 1
    again = from_torch(to_torch(sim, network), SHAPE)
    resumed = cs.compile(again.circuit, state=again.state)
    resumed.step(images(4, *SHAPE), np.arange(4))
    assert again.state_dict(resumed)["body.1.num_batches_tracked"] == 2


def test_keys_and_shapes_that_do_not_fit_are_all_named() -> None:
    network = from_torch(Net(), SHAPE)
    state = dict(Net().state_dict())
    state["head.wait"] = state.pop("head.weight")
    state["body.0.weight"] = torch.zeros(4, 3, 5, 5)
    state["extra.bias"] = torch.zeros(3)
    with pytest.raises(ExchangeError) as refusal:
        network.load(state)
    assert [problem.message for problem in refusal.value.problems] == [
        "unexpected key 'head.wait'. Did you mean 'head.weight'? keys left over: head.weight",
        "key 'head.weight' is missing",
        "'body.0.weight' must have shape [4, 3, 3, 3] (got [4, 3, 5, 5])",
        "'extra.bias' must have shape [2] (got [3])",
    ]
    assert str(refusal.value).startswith("Net: state_dict: ")


def test_a_stock_network_has_no_weights_before_it_is_loaded() -> None:
    network = as_torchvision(cs.load("resnet18", options={"size": [3, 32, 32], "classes": 3, "width": 0.125}))
    assert not network.state
    with pytest.raises(ExchangeError, match=r"'conv1\.weight' has no value yet: load a state_dict"):
        network.state_dict()
    drawn = network.state_dict(cs.compile(network.circuit))
    assert network.load(drawn).state.keys() == network.names.keys()


def test_a_simulator_of_another_circuit_is_refused() -> None:
    network, other = from_torch(Net(), SHAPE), from_torch(nn.Sequential(nn.Flatten(), nn.Linear(108, 2)), SHAPE)
    with pytest.raises(ExchangeError, match=r"no state 'weights/body\.0': it runs another circuit than 'Net'"):
        network.state_dict(cs.compile(other.circuit))


# ---- what load takes


def test_layers_that_nothing_calls_lie_in_the_written_module_too() -> None:
    made = Net()
    network = from_torch(made, SHAPE)
    assert network.unused == ("extra.weight", "extra.bias")
    written = to_torch(cs.compile(network.circuit, state=network.state), network)
    made.load_state_dict(written.state_dict(), strict=True)
    written.load_state_dict(Net(seed=1).state_dict(), strict=True)
    np.testing.assert_array_equal(written.state_dict()["extra.bias"], Net(seed=1).extra.bias.detach())


def test_a_layer_under_two_names_comes_back_under_both() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(108, 2)
            self.again = self.fc

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.again(x.flatten(1))

    module = lively(Twice())
    network = from_torch(module, SHAPE)
    assert network.shared == {"again.weight": "fc.weight", "again.bias": "fc.bias"}
    sim = cs.compile(network.circuit, dtype="float64", state=network.state)
    sim.step(images(4, *SHAPE), [0, 1, 0, 1])
    module.load_state_dict(network.state_dict(sim), strict=True)
    np.testing.assert_array_equal(module.again.weight.detach(), sim.weights["fc"])


@pytest.mark.parametrize("prefix", ["module.", "model.module."])
def test_a_prefix_of_all_keys_is_left_out(prefix: str) -> None:
    network, other = from_torch(Net(), SHAPE), Net(seed=1).state_dict()
    loaded = network.load({f"{prefix}{key}": value for key, value in other.items()})
    assert_same(arrays(loaded.state_dict()), arrays(other), 1e-15)
    with pytest.raises(ExchangeError, match=r"unexpected key 'module\.head\.bias'"):
        network.load({f"module.{key}" if key == "head.bias" else key: value for key, value in other.items()})


def test_counts_of_batches_may_be_missing() -> None:
    network = from_torch(Net(), SHAPE)
    other = {key: value for key, value in Net(seed=1).state_dict().items() if "num_batches" not in key}
    loaded = network.load(other).state_dict()
    assert loaded["body.1.num_batches_tracked"] == 0
    assert_same(arrays({key: loaded[key] for key in other}), arrays(other), 1e-15)


def test_many_problems_are_cut_short() -> None:
    network = from_torch(nn.Sequential(nn.Flatten(), *[nn.Linear(108, 108) for _ in range(20)]), SHAPE)
    with pytest.raises(ExchangeError) as refusal:
        network.load({})
    assert len(refusal.value.problems) == 21
    assert refusal.value.problems[-1].message == "and 20 more"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda network, sim: network.load(None), r"Net: state_dict: load takes a state_dict, .* \(got NoneType\)"),
        (lambda network, sim: network.load([1]), r"\(got list\)"),
        (lambda network, sim: network.load(Net()), r"\(got a module\): say load\(module\.state_dict\(\)\)"),
        (lambda network, sim: as_torchvision("resnet18"), r"takes a Circuit \(got 'resnet18'\): say load\("),
        (lambda network, sim: to_torch(network), r"to_torch takes a simulator \(got Network\): say compile"),
        (lambda network, sim: to_torch(sim, 3), r"takes the names of a Network \(got int\)"),
        (lambda network, sim: with_learning(3, "backprop"), r"with_learning takes a Circuit \(got int\)"),
    ],
)
def test_what_is_of_another_kind_is_refused(call: Any, message: str) -> None:
    network = from_torch(Net(), SHAPE)
    sim = cs.compile(network.circuit, state=network.state)
    with pytest.raises(cs.CircuitError, match=message):
        call(network, sim)
