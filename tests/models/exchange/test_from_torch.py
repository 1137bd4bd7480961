"""How layers of a module become populations and projections: what joins what, what it is called, what is the same."""

import operator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import counterstream as cs
from counterstream.circuits.errors import CounterstreamError
from counterstream.models.exchange import ExchangeError, Network, from_torch

from .nets import Mask, answer, arrays, assert_same, descend, images, lively, sgd

SHAPE = (3, 8, 8)


def simulate(network: Network, **how: Any) -> cs.Simulator:
    return cs.compile(network.circuit, dtype="float64", state=network.state, **how)


def brought(module: nn.Module, shape: tuple[int, ...] = SHAPE, **how: Any) -> Network:
    """A module as a circuit that predicts what the module returns, to rounding."""
    network = from_torch(lively(module), shape, **{"loss": "squared", **how})
    batch = images(2, *shape)
    expected = answer(module, batch)
    np.testing.assert_allclose(simulate(network).predict(batch), expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    return network


def populations(network: Network) -> dict[str, dict[str, Any]]:
    """What is declared of each population, defaults left out."""
    return {
        name: population.model_dump(mode="json", exclude_defaults=True)
        for name, population in network.circuit.populations.items()
    }


def labels(network: Network) -> list[str]:
    return [projection.label for projection in network.circuit.projections]


class Block(nn.Module):
    """A residual block in the classic form."""

    def __init__(self, channels: int, act: nn.Module | None = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x
        return self.relu(out)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(Block(3), Block(3))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(torch.flatten(self.pool(self.layer1(x)), 1))


def test_layers_join_the_population_that_a_convolution_opens() -> None:
    network = brought(Small())
    assert populations(network) == {
        "x": {"input": [3, 8, 8]},
        "layer1_0.conv1": {"normalize": "batch", "transfer": "relu"},
        "layer1_0.conv2": {"normalize": "batch"},
        "layer1_0.sum": {"transfer": "relu"},
        "layer1_1.conv1": {"normalize": "batch", "transfer": "relu"},
        "layer1_1.conv2": {"normalize": "batch"},
        "layer1_1.sum": {"transfer": "relu"},
        "pool": {},
        "fc": {"loss": "squared"},
    }
    assert labels(network) == [
        *("layer1.0.conv1", "layer1.0.conv2", "layer1_0.conv2->layer1_0.sum", "x->layer1_0.sum"),
        *("layer1.1.conv1", "layer1.1.conv2", "layer1_1.conv2->layer1_1.sum", "layer1_0.sum->layer1_1.sum"),
        *("layer1_1.sum->pool", "fc"),
    ]
    assert network.names["weights/layer1.0.conv1"] == "layer1.0.conv1.weight"
    assert network.names["gain/layer1_0.conv1"] == "layer1.0.bn1.weight"
    assert network.names["running_variance/layer1_1.conv2"] == "layer1.1.bn2.running_var"


@pytest.mark.parametrize(
    ("loss", "declared"),
    [
        ("cross_entropy", {"transfer": "softmax"}),
        ("squared", {"loss": "squared"}),
        ("binary_cross_entropy", {"transfer": "sigmoid", "loss": "binary_cross_entropy"}),
    ],
)
def test_the_last_layer_is_the_output(loss: Any, declared: dict[str, str]) -> None:
    assert populations(from_torch(Small(), SHAPE, loss=loss))["fc"] == declared


def test_an_output_of_its_own_where_the_last_layer_answers_already() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert populations(brought(module))["output"] == {"loss": "squared"}
    assert labels(brought(module))[-1] == "layer_2->output"
    module = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.Tanh())
    assert populations(from_torch(module, SHAPE))["output"] == {"transfer": "softmax"}
    assert "output" not in populations(brought(module))
    module = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.Sigmoid())
    assert "output" not in populations(brought(module, loss="binary_cross_entropy"))


def test_without_a_loss_there_is_no_output() -> None:
    network = brought(Small(), loss=None, learning=None)
    assert all(population.output_loss is None for population in network.circuit.populations.values())


class PreActivation(nn.Module):
    """What normalization reads is read by the shortcut too."""

    def __init__(self) -> None:
        super().__init__()
        self.bn, self.conv, self.fc = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.Linear(192, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.conv(self.bn(x).relu())
        return self.fc((x + self.conv(x.tanh())).flatten(1))


def test_sums_take_bare_convolutions_in_and_shared_layers_share_weights() -> None:
    network = brought(PreActivation())
    assert populations(network) == {
        "x": {"input": [3, 8, 8]},
        "bn": {"normalize": "batch", "transfer": "relu"},
        "sum": {},
        "tanh": {"transfer": "tanh"},
        "sum_2": {},
        "fc": {"loss": "squared"},
    }
    assert labels(network) == ["x->bn", "x->sum", "conv", "sum->tanh", "sum->sum_2", "conv_2", "fc"]
    second = next(p for p in network.circuit.projections if p.label == "conv_2")
    assert second.tie is not None
    assert second.tie.same_as == "conv"
    assert "weights/conv_2" not in network.names


class Words(nn.Module):
    """Submodules with names that mean something in a circuit, or that the language does not allow."""

    def __init__(self) -> None:
        super().__init__()
        self.rate = nn.Conv2d(3, 3, 1, bias=False)
        self.layer_0 = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False))
        self.layer_0_0 = nn.Conv2d(3, 3, 1)
        self.add_module("my block", nn.Conv2d(3, 3, 1))

    def forward(self, w: torch.Tensor) -> torch.Tensor:
        x = getattr(self, "my block")(self.layer_0_0(self.layer_0(self.rate(w))))
        x = torch.cat([x, x], 1) + torch.cat([x, w], 1)
        return (x + x).flatten(1)


def test_names_that_cannot_stand_are_changed() -> None:
    network = brought(Words())
    assert list(network.circuit.populations) == [
        *("w_", "rate_", "layer_0_0", "layer_0_0_2", "my_block", "cat", "cat_2", "sum", "sum_2", "output")
    ]
    assert labels(network)[:4] == ["rate_", "layer_0.0", "layer_0_0", "my_block"]
    assert labels(network)[4:6] == ["my_block->cat", "my_block->cat_2"]
    assert labels(network)[-3:] == ["sum->sum_2", "sum->sum_2_2", "sum_2->output"]
    assert network.names["weights/my_block"] == "my block.weight"


class Functional(nn.Module):
    """The same operations as functions and methods."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 4, 3, padding="same"), nn.Conv2d(3, 4, 3, padding="valid", stride=1)
        self.fc = nn.Linear(7 * 4 + 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = functional.relu6(self.one(x))
        two = functional.hardswish(self.two(x))
        one = functional.max_pool2d(functional.silu(one), 3, 2, padding=1)
        two = functional.avg_pool2d(functional.gelu(two), 2, stride=1, padding=1)
        two = functional.adaptive_avg_pool2d(functional.softplus(two), (4, None))[:, :, :]
        two = functional.adaptive_max_pool2d(torch.sigmoid(two)[:, 1:], (4, 7))
        one = torch.add(one, torch.relu(one).contiguous())
        both = torch.cat([functional.adaptive_avg_pool2d(one, 2), functional.adaptive_avg_pool2d(two, 2)], dim=1)
        rows = torch.concat((both.view(both.size(0), -1), functional.dropout(one, 0.5, self.training).mean((2, 3))), 1)
        rows = rows.reshape(rows.shape[0], both.shape[1] * 4 + 4)
        return self.fc(rows.tanh())


class Sides(nn.Module):
    """Rows and maps side by side; what changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn, self.fc = nn.Conv2d(3, 2, 1), nn.BatchNorm1d(128), nn.Linear(128, 3)
        self.keep, self.drop = nn.Identity(), nn.Dropout(0.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.keep(self.conv(x))
        row = self.bn(maps.flatten(1).relu())
        left, right = row + row, torch.flatten(maps, 1) + maps.flatten(1)
        return self.fc(self.drop(left + right.tanh()).view(-1, 128))


def test_functions_and_methods_are_layers_in_other_words() -> None:
    network = brought(Functional().eval())
    assert {"max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "part", "cat", "sum", "mean"} <= populations(
        network
    ).keys()


def test_rows_and_maps() -> None:
    assert populations(brought(Sides()))["bn"] == {"normalize": "batch"}


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 6, (3, 5), stride=(2, 1), padding=(1, 0), dilation=(2, 1), groups=2),
        nn.Conv2d(4, 4, 3, padding="same", dilation=2, padding_mode="zeros"),
        nn.MaxPool2d(3, stride=2, ceil_mode=True),
        nn.MaxPool2d((2, 3), padding=(1, 0)),
        nn.AvgPool2d(3, stride=2, padding=1),
        nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False),
        nn.AdaptiveAvgPool2d((3, 5)),
        nn.AdaptiveAvgPool2d((None, 2)),
        nn.AdaptiveAvgPool2d(8),
        nn.AdaptiveMaxPool2d((4, 1)),
        nn.BatchNorm2d(4, eps=1e-3, momentum=0.3),
        nn.BatchNorm2d(4, affine=False),
        nn.Sequential(nn.GELU(), nn.SiLU(), nn.ReLU6(), nn.Hardswish(), nn.Tanh(), nn.Sigmoid()),
        nn.Softplus(threshold=40),
        nn.Dropout(0.3),
    ],
    ids=repr,
)
def test_a_layer_of_every_kind(layer: nn.Module) -> None:
    brought(nn.Sequential(nn.Conv2d(3, 4, 1), layer, nn.Flatten()))


@pytest.mark.parametrize(("layer", "shape"), [(nn.BatchNorm1d(4), (3,)), (nn.ReLU(), (3,)), (nn.Identity(), (3,))])
def test_rows_of_features(layer: nn.Module, shape: tuple[int, ...]) -> None:
    brought(nn.Sequential(nn.Linear(3, 4), layer, nn.Linear(4, 2, bias=False)), shape)


# ---- training


def biased() -> nn.Module:
    """A convolution with a bias in front of batch normalization, and one with a bias of its own."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)
    )


def test_a_bias_in_front_of_normalization_is_part_of_the_running_mean() -> None:
    module = lively(biased())
    network = from_torch(module, SHAPE)
    assert network.absorbed == {"running_mean/layer_0": "0.bias"}
    np.testing.assert_array_equal(
        network.state["running_mean/layer_0"], (module[1].running_mean - module[0].bias).detach().numpy()
    )
    sim, optimizer = simulate(network, consolidation=cs.Consolidation(rate=0.1)), sgd(module, 0.1, decay=1e-4)
    optimizer.param_groups[0]["params"] = [module[0].weight, module[3].weight, module[6].weight]
    for step in range(3):
        batch, target = images(4, *SHAPE, seed=step), np.arange(4)
        loss = descend(module, optimizer, "cross_entropy", batch, target)
        assert sim.step(batch, target)["loss"] == pytest.approx(loss, rel=1e-12)
    found = arrays(network.state_dict(sim))
    assert_same(found, arrays(module.state_dict()), 1e-10)
    assert found["1.num_batches_tracked"] == 3
    np.testing.assert_array_equal(found["0.bias"], network.entries["0.bias"])  # unchanged, to the last bit


def test_the_same_neurons_drop_out() -> None:
    """Torch's dropout and the circuit's, by one mask."""
    module = lively(nn.Sequential(nn.Flatten(), nn.Linear(192, 6), nn.Tanh(), nn.Dropout(0.25), nn.Linear(6, 3)))
    network = from_torch(module, SHAPE)
    assert populations(network)["layer_1"] == {"transfer": "tanh", "dropout": 0.25}
    sim = simulate(network, consolidation=cs.Consolidation(rate=0.5))
    mask = np.random.default_rng(0).integers(0, 2, (4, 6)) * 1.0
    module[3] = Mask(mask, 0.25)
    batch, target = images(4, *SHAPE), np.arange(4) % 3
    loss = descend(module, sgd(module, 0.5, decay=1e-4), "cross_entropy", batch, target)
    assert sim.step(batch, target, noise={"layer_1": mask})["loss"] == pytest.approx(loss, rel=1e-12)
    assert_same(arrays(network.state_dict(sim)), arrays(module.state_dict()), 1e-12)


def test_functional_dropout_follows_the_mode_of_the_module() -> None:
    class Dropping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return functional.dropout(self.fc(x), training=self.training)

    assert populations(from_torch(Dropping(), (3,)))["fc"] == {"dropout": 0.5, "bias": True}
    assert populations(from_torch(Dropping().eval(), (3,)))["fc"] == {"transfer": "softmax"}


def test_what_does_not_learn_in_torch_does_not_learn_here() -> None:
    module = lively(biased())
    for parameter in module[:2].parameters():
        parameter.requires_grad = False
    network = from_torch(module, SHAPE)
    sim = simulate(network)
    sim.step(images(4, *SHAPE), np.arange(4))
    after = network.state_dict(sim)
    for key, value in module.state_dict().items():
        learns = key.startswith(("3.", "6."))
        assert torch.equal(after[key], value) != (learns or "running" in key or "num" in key), key


def test_precision_is_the_modules() -> None:
    assert {value.dtype for value in from_torch(Small(), SHAPE).state.values()} == {np.dtype("float32")}
    assert {value.dtype for value in from_torch(Small().bfloat16(), SHAPE).state.values()} == {np.dtype("float32")}
    assert {value.dtype for value in from_torch(Small().double(), SHAPE).state.values()} == {np.dtype("float64")}


def test_the_module_is_left_alone() -> None:
    module = Small()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    sim = simulate(from_torch(module, SHAPE))
    sim.step(images(4, *SHAPE), [0, 1, 0, 1])
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert module.training


def test_branches_that_nothing_reads_are_left_out() -> None:
    class Unread(Small):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.LayerNorm(8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.norm(x)
            return super().forward(x)

    network = brought(Unread())
    assert {"norm.weight", "norm.bias"} <= network.state_dict().keys()


# ---- refusals


class Calls(nn.Module):
    """A function of an image, as a module."""

    def __init__(self, function: Any, **layers: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: torch.Tensor) -> Any:
        return self.function(self, x)


def replaced() -> nn.Module:
    layer = nn.Conv2d(3, 3, 1)
    layer.forward = lambda x: x * 2  # type: ignore[method-assign]
    return layer


def hooked() -> nn.Module:
    layer = nn.Conv2d(3, 3, 1)
    layer.register_forward_hook(lambda module, given, found: found * 2)
    return layer


LAYERS = [
    (nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), r"padding_mode 'reflect' .* padding_mode='zeros'"),
    (nn.Conv2d(3, 3, 2, padding="same"), r"an even kernel \(2, 2\).*give numbers"),
    (nn.Conv2d(4, 3, 3), r"it expects 4 inputs \(got a signal of shape \[3, 8, 8\]\)"),
    (nn.Conv2d(3, 3, 9), r"conv 'kernel' \[9, 9\] must fit"),
    (nn.Linear(8, 3), r"a linear layer reads a row of neurons \(got maps \[3, 8, 8\]\): flatten"),
    (nn.BatchNorm2d(3, momentum=None), r"got momentum=None\): say momentum=0\.1"),
    (nn.BatchNorm2d(3, momentum=0.0), r"got momentum=0\.0\)"),
    (nn.BatchNorm2d(3, track_running_stats=False), r"say track_running_stats=True"),
    (nn.BatchNorm2d(4), r"it expects 4 channels"),
    (nn.GELU("tanh"), r"approximate='tanh'\): say approximate='none'"),
    (nn.Softplus(beta=2), r"got beta=2"),
    (nn.MaxPool2d(2, dilation=2), r"got dilation=2\): say dilation=1"),
    (nn.MaxPool2d(2, return_indices=True), r"return_indices=False"),
    (nn.AvgPool2d(3, padding=1, count_include_pad=False), r"count_include_pad=True, or padding=0"),
    (nn.AvgPool2d(3, stride=2, ceil_mode=True), r"\[3, 8, 8\]: say ceil_mode=False"),
    (nn.AvgPool2d(2, divisor_override=3), r"got divisor_override=3"),
    (nn.AdaptiveMaxPool2d(3), r"\[3, 3\] does not divide \[3, 8, 8\]"),
    (nn.Flatten(2), r"got dimensions 2 to -1\): say start_dim=1"),
    (nn.Dropout(1.0), r"got p=1\.0"),
    (nn.Dropout2d(), r"Dropout2d cannot be said: .*use Dropout"),
    (nn.LayerNorm(8), r"LayerNorm cannot be said: .*use BatchNorm2d"),
    (nn.ConvTranspose2d(3, 3, 2), r"ConvTranspose2d cannot be said"),
    (nn.Softmax(1), r"Softmax cannot be said: .*loss='cross_entropy'"),
    (nn.LogSoftmax(1), r"LogSoftmax cannot be said: .*loss='cross_entropy'"),
    (nn.CELU(), r"CELU cannot be said: Did you mean"),
    (hooked(), r"it has hooks"),
    (replaced(), r"its forward was replaced on the instance"),
    (nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 3, 1)), r"ParametrizedConv2d cannot be said"),
]


@pytest.mark.parametrize(("layer", "message"), LAYERS, ids=[repr(layer) for layer, _ in LAYERS])
def test_a_layer_that_cannot_be_said(layer: nn.Module, message: str) -> None:
    """By its qualified name and class, with the remedy."""
    module = nn.Sequential(nn.Identity(), nn.Sequential(layer), nn.Flatten())
    place = rf"Sequential: 1\.0 \({type(layer).__name__}\): "
    with pytest.raises(ExchangeError, match=place + r".*" + message):
        from_torch(module, SHAPE)


CALLS = [
    (lambda m, x: x * x, r"Calls: 'mul' cannot be said: inputs of a population add up"),
    (lambda m, x: x + 1, r"a sum is of activities"),
    (lambda m, x: torch.add(x, x, alpha=2), r"got alpha=2"),
    (lambda m, x: x + x[:, :1], r"a sum is of equal shapes \(got \[3, 8, 8\] and \[1, 8, 8\]\)"),
    (lambda m, x: x[:, :1, 2:], r"only channels can be picked"),
    (lambda m, x: x[:, ::2], r"got a step of 2"),
    (lambda m, x: x[:, 3:], r"no channel is left of 3"),
    (lambda m, x: x.mean(1), r"got dim=1\): say dim=\(2, 3\)"),
    (lambda m, x: x.view(-1, 64), r"got a view as \[-1, 64\]"),
    (lambda m, x: torch.cat([x, x], 2), r"along the channels \(got dim=2\)"),
    (lambda m, x: torch.cat([x, x.flatten(1)], 1), r"maps of one size"),
    (lambda m, x: torch.flatten(x), r"got dimensions 0 to -1"),
    (lambda m, x: functional.interpolate(x, scale_factor=2), r"'interpolate' cannot be said"),
    (lambda m, x: functional.relu(x).permute(0, 2, 3, 1), r"'permute' cannot be said"),
    (lambda m, x: x.ndim, r"'ndim' cannot be said"),
    (lambda m, x: (x, x), r"one activity must come out \(got a tuple\).*aux_logits=False"),
    (lambda m, x: x if x.sum() > 0 else -x, r"torch\.fx cannot trace it .*Control flow"),
    (lambda m, x: x + m.conv.bias, r"a parameter or buffer is read outside of a layer"),
    (lambda m, x: m.norm(m.norm(x)), r"norm \(BatchNorm2d\): it is called twice"),
    (lambda m, x: m.conv(m.conv(x)), r"conv \(Conv2d\): it is called twice"),
    (lambda m, x: functional.relu(x, inplace=True) + x, r"'relu' works in place on 'x', which is read again"),
    (lambda m, x: m.conv(functional.pad(x, (1, 1, 1, 1))), r"'pad' cannot be said: .*Conv2d\(\.\.\., padding"),
    (lambda m, x: x.view(len(x), -1), r"torch\.fx cannot trace it .*Say x\.size\(0\)"),
    (lambda m, x: x.reshape(int(x.size(0)), -1).numpy(), r"torch\.fx cannot trace it "),
    (lambda m, x: x.softmax(1), r"softmax is over the neurons of a row \(got dim=1 of \[3, 8, 8\]\)"),
    (lambda m, x: x.flatten(1).softmax(1).tanh(), r"Softmax cannot be said: softmax stands at the output only"),
    (lambda m, x: m.frozen(x).flatten(1), r"'frozen\.bias' does not learn"),
]


@pytest.mark.parametrize(("function", "message"), CALLS, ids=[message for _, message in CALLS])
def test_a_call_that_cannot_be_said(function: Any, message: str) -> None:
    frozen = nn.Conv2d(3, 3, 1).requires_grad_(False)
    module = Calls(function, conv=nn.Conv2d(3, 3, 1), norm=nn.BatchNorm2d(3), frozen=frozen)
    with pytest.raises(ExchangeError, match=message):
        from_torch(module, SHAPE)


def added(m: nn.Module, h: torch.Tensor) -> torch.Tensor:
    short = h
    h += m.conv(functional.relu(h))
    return h + short


def set_to_zero(m: nn.Module, h: torch.Tensor) -> torch.Tensor:
    h[:, :1] = 0
    return h


def doubled(m: nn.Module, h: torch.Tensor) -> torch.Tensor:
    twice = h
    twice *= 2
    return m.conv(h)


def left(function: Any) -> Any:
    """Work in place on what a call returns, whose result is dropped; `h` is read afterwards."""

    def forward(m: nn.Module, h: torch.Tensor) -> torch.Tensor:
        functional.relu_(function(m, h))
        return m.conv(h)

    return forward


def kept(function: Any, write: Any = functional.relu_) -> Any:
    """Work in place on `h`, after a call whose result is read afterwards."""

    def forward(m: nn.Module, h: torch.Tensor) -> torch.Tensor:
        view = function(m, h)
        write(h)
        return view.flatten(1)

    return forward


SHARING = {
    "Identity": lambda m, h: m.keep(h),
    "Dropout": lambda m, h: m.drop(h),
    "dropout": lambda m, h: functional.dropout(h, training=False),
    "flatten": lambda m, h: h.flatten(1),
    "view": lambda m, h: h.view(h.size(0), -1),
    "reshape": lambda m, h: torch.reshape(h, (h.size(0), -1)),
    "contiguous": lambda m, h: h.contiguous(),
    "slice": lambda m, h: h[:, 1:],
    "two": lambda m, h: m.keep(h)[:, 1:].contiguous(),
}
WRITES = {
    "relu_": lambda h: h.relu_(),
    "inplace": lambda h: functional.relu(h, inplace=True),
    "third": lambda h: functional.relu6(h, True),
    "out": lambda h: torch.add(h, h, out=h),
    "iadd": lambda h: h.__iadd__(h),
    "itruediv": lambda h: operator.itruediv(h, 2),
}
MISREAD = {
    **{"added": added, "set_to_zero": set_to_zero, "doubled": doubled},
    **{f"{name}-left": left(function) for name, function in SHARING.items()},
    **{f"{name}-kept": kept(function) for name, function in SHARING.items()},
    **{f"view-{name}": kept(SHARING["view"], write) for name, write in WRITES.items()},
}


@pytest.mark.parametrize("name", MISREAD)
def test_work_in_place_on_memory_that_is_read_again_is_refused(name: str) -> None:
    """Through every alias, both ways, the graph of calls would say something else than the module."""
    module = on_a_convolution(MISREAD[name])
    with pytest.raises(ExchangeError, match=r"works in place on '.*read again later: say inplace=False, x = x \+ y"):
        from_torch(module, SHAPE, loss="squared")


def on_a_convolution(function: Any) -> nn.Module:
    layers = {"conv": nn.Conv2d(3, 3, 1), "stem": nn.Conv2d(3, 3, 1), "keep": nn.Identity(), "drop": nn.Dropout(0.5)}
    return Calls(lambda m, x: function(m, m.stem(x)).flatten(1), **layers).eval()


def accumulated(m: nn.Module, h: torch.Tensor) -> torch.Tensor:
    total = m.keep(h)
    total += functional.relu(total)
    channels = many = total.size(1)
    many *= 64
    total = total.relu_()
    return total.view(total.size(0), channels * many // channels)


@pytest.mark.parametrize(
    "function",
    [
        accumulated,
        lambda m, h: functional.relu(m.keep(h), inplace=True).clone().tanh_(),
        kept(lambda m, h: h.clone()),
        kept(lambda m, h: m.conv(h)),
        lambda m, h: h.add_(h).relu_().flatten(1).tanh_(),
    ],
)
def test_work_in_place_on_memory_that_is_not_read_again(function: Any) -> None:
    brought(on_a_convolution(function))


def test_two_layers_with_one_weight_are_refused() -> None:
    module = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 3, 1, bias=False))
    module[1].weight = module[0].weight
    with pytest.raises(ExchangeError, match=r"1 \(Conv2d\): its 'weight' is that of '0': call one layer twice"):
        from_torch(module, SHAPE)


def test_a_second_input_is_refused() -> None:
    class Two(nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return x + y

    with pytest.raises(ExchangeError, match=r"Two: one input comes in \(got a second, 'y'\)"):
        from_torch(Two(), SHAPE)


def test_where_tracing_ends_is_named() -> None:
    branch = Calls(lambda m, x: x if x.sum() > 0 else -x)
    with pytest.raises(ExchangeError, match=r"Sequential: 1\.0 \(Calls\): torch\.fx cannot trace it"):
        from_torch(nn.Sequential(nn.ReLU(), nn.Sequential(branch)), SHAPE)


def test_all_problems_at_once() -> None:
    module = nn.Sequential(nn.LayerNorm(8), nn.Softmax(1), nn.Conv2d(3, 3, 3, padding_mode="circular"), nn.Dropout2d())
    with pytest.raises(ExchangeError) as refusal:
        from_torch(module, SHAPE)
    assert [problem.path for problem in refusal.value.problems] == [
        *("0 (LayerNorm)", "1 (Softmax)", "2 (Conv2d)", "3 (Dropout2d)")
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Sequential(nn.Linear(3, 2)),
        lambda: nn.Linear(3, 2),
        lambda: nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 2))),
    ],
)
@pytest.mark.parametrize("when", ["register_forward_hook", "register_forward_pre_hook"])
def test_hooks_of_the_module_itself_are_refused(make: Any, when: str) -> None:
    module = make()
    getattr(module, when)(lambda *given: None)
    with pytest.raises(ExchangeError, match=r"(Sequential|Linear): it has hooks, .*remove them"):
        from_torch(module, (3,))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Sequential(nn.Linear(3, 2, device="meta")), r"'0\.weight' is on the device 'meta'.*to_empty"),
        (nn.Sequential(nn.LazyLinear(2)), r"'0\.weight' has no shape yet.*call the module once"),
    ],
)
def test_a_module_without_numbers_is_refused(module: nn.Module, message: str) -> None:
    with pytest.raises(ExchangeError, match=r"Sequential: " + message):
        from_torch(module, (3,))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_a_scripted_module_is_refused() -> None:
    with pytest.raises(ExchangeError, match=r"0 \(RecursiveScriptModule\): a scripted module has no Python code"):
        from_torch(nn.Sequential(torch.jit.script(nn.Linear(3, 2))), (3,))


@pytest.mark.parametrize("dim", [1, -1])
def test_softmax_at_the_end_is_the_outputs_own(dim: int) -> None:
    """The circuit predicts what the module returns, under one softmax and not two."""
    module = lively(nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.Softmax(dim)))
    network = from_torch(module, SHAPE)
    assert populations(network)["layer_1"] == {"transfer": "softmax"}
    batch = images(2, *SHAPE)
    np.testing.assert_allclose(simulate(network).predict(batch), answer(module, batch), atol=1e-12)
    with pytest.raises(ExchangeError, match=r"2 \(Softmax\): Softmax cannot be said"):
        from_torch(module, SHAPE, loss="squared")


def test_a_module_that_is_one_layer() -> None:
    module = nn.Linear(5, 3)
    network = brought(module, (5,))
    assert network.names == {"weights/linear": "weight", "bias/linear": "bias"}
    sim = simulate(network)
    sim.step(images(4, 5), np.ones((4, 3)))
    module.load_state_dict(network.state_dict(sim), strict=True)
    np.testing.assert_allclose(sim.predict(images(2, 5)), answer(module, images(2, 5)), atol=1e-12)
    brought(nn.BatchNorm1d(3), (3,))
    with pytest.raises(ExchangeError, match=r"^Conv2d: conv2d \(Conv2d\): it expects 2 inputs"):
        from_torch(nn.Conv2d(2, 2, 1), SHAPE)


def test_learning_needs_a_loss() -> None:
    with pytest.raises(ExchangeError, match=r"Small: without a loss there is no output.* say learning=None"):
        from_torch(Small(), SHAPE, loss=None)
    with pytest.raises(ExchangeError, match=r"unknown loss 'square'\. Did you mean 'squared'\?"):
        from_torch(Small(), SHAPE, loss="square")  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (0,), (), 5, None, "abc", (3.7, 8, 8), ("3", 8, 8), (3, 8)])
def test_the_shape_is_that_of_one_sample(shape: tuple[int, ...]) -> None:
    with pytest.raises(ExchangeError, match=r"Small: input_shape is that of one sample"):
        from_torch(Small(), shape)


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(CounterstreamError, match=r"takes a torch\.nn\.Module \(got function\)"):
        from_torch(lambda x: x, SHAPE)  # type: ignore[arg-type]


def test_taps_that_see_padding_alone_are_no_synapses() -> None:
    """On 1x1 maps the middle of a 3x3 kernel is all that conducts: it decays as in torch, the rest stays."""
    module = lively(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(4, 3)))
    network = from_torch(module, (3, 1, 1))
    sim, optimizer = simulate(network, consolidation=cs.Consolidation(rate=0.1)), sgd(module, 0.1, decay=1e-4)
    before = network.state["weights/0"]
    for step in range(3):
        batch, target = images(4, 3, 1, 1, seed=step), np.arange(4) % 3
        loss = descend(module, optimizer, "cross_entropy", batch, target)
        assert sim.step(batch, target)["loss"] == pytest.approx(loss, rel=1e-12)
    found, expected = arrays(network.state_dict(sim)), arrays(module.state_dict())
    dead = np.ones((3, 3), bool)
    dead[1, 1] = False
    np.testing.assert_array_equal(found["0.weight"][..., dead], before[..., dead])
    np.testing.assert_allclose(expected["0.weight"][..., dead], before[..., dead] * (1 - 1e-5) ** 3, rtol=1e-12)
    np.testing.assert_allclose(found["0.weight"][..., 1, 1], expected["0.weight"][..., 1, 1], rtol=1e-12)
    for state in (found, expected):
        del state["0.weight"]
    assert_same(found, expected, 1e-12)
