"""What torch's layers say, read from the modules.

A module is judged by itself, so that everything inexpressible in a network is found in one pass. Arguments bear the
names of the function that torch has beside a layer, so that `operations.py` takes them as they are.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from ...circuits.errors import suggest
from ...circuits.wiring import Conv, Dense, Pool, Shape, Wiring
from .cells import Stage
from .layers import SOFTMAX, Answer, Bias, Layer, Normalize, Nothing, Reduce, Refusal, Row, Softmax, Synapses, laid
from .offset import Offset


def conv(module: nn.Conv2d) -> Layer:
    if module.padding_mode != "zeros":
        raise Refusal(f"padding is zero: padding_mode '{module.padding_mode}' has no place. Say padding_mode='zeros'")
    said: dict[str, Any] = {"stride": pair(module.stride), "dilation": pair(module.dilation), "groups": module.groups}
    said = {key: value for key, value in said.items() if value not in ((1, 1), 1)}
    wiring = Conv(channels=module.out_channels, kernel=pair(module.kernel_size), padding=_padding(module), **said)
    return Synapses(wiring=wiring, inputs=module.in_channels, **_learning(module))


def _padding(module: nn.Conv2d) -> tuple[int, int]:
    if module.padding == "valid":
        return (0, 0)
    if module.padding == "same":
        spread = [(k - 1) * d for k, d in zip(module.kernel_size, module.dilation, strict=True)]
        if any(side % 2 for side in spread):
            raise Refusal(f"padding is the same on both sides, which an even kernel {module.kernel_size} cannot have: "
                          "give numbers in place of 'same'")  # fmt: skip
        return spread[0] // 2, spread[1] // 2
    return pair(module.padding)


def linear(module: nn.Linear) -> Layer:
    return Synapses(wiring=Dense(size=module.out_features), inputs=module.in_features, **_learning(module))


def _learning(module: nn.Conv2d | nn.Linear) -> dict[str, Any]:
    bias: torch.Tensor | None = module.bias
    frozen = bias is not None and not bias.requires_grad
    return {"biased": bias is not None, "plastic": module.weight.requires_grad, "frozen_bias": frozen}


def batch_norm(module: nn.BatchNorm2d | nn.BatchNorm1d) -> Layer:
    if not module.track_running_stats or module.running_mean is None:
        raise Refusal(
            "normalization keeps running statistics, since predictions use them: say track_running_stats=True"
        )
    if not module.momentum:
        raise Refusal(
            f"running statistics move by a fixed share a step, momentum above 0 (got momentum={module.momentum}): "
            "say momentum=0.1"
        )
    said = {"epsilon": module.eps, "momentum": module.momentum}
    said = {key: value for key, value in said.items() if value != {"epsilon": 1e-5, "momentum": 0.1}[key]}
    declared: dict[str, Any] = {"normalize": {"batch": said} if said else "batch"}
    own = {"gain": module.weight, "bias": module.bias}  # None where it has none
    declared |= {kind: False for kind, parameter in own.items() if parameter is None or not parameter.requires_grad}
    parameters = {kind: name for kind, name in (("gain", "weight"), ("bias", "bias")) if own[kind] is not None}
    return Normalize(channels=module.num_features, declared=declared, parameters=parameters)


def transfer(name: str) -> Layer:
    return Answer(stage=Stage.TRANSFERRED, declared={"transfer": name})


def gelu(approximate: str = "none") -> Layer:
    if approximate != "none":
        raise Refusal(f"gelu is the exact one (got approximate='{approximate}'): say approximate='none', or silu")
    return transfer("gelu")


def softplus(beta: float = 1.0, threshold: float = 20.0) -> Layer:
    """Torch's softplus is linear beyond its threshold; from 20 on it differs from the exact one by less than 3e-9."""
    if beta != 1 or threshold < 20:
        raise Refusal(f"softplus is log(1 + exp(u)) (got beta={beta}, threshold={threshold}): leave both out")
    return transfer("softplus")


def softmax(dim: int | None = None, dtype: Any = None) -> Layer:
    if dtype is not None:
        raise Refusal(f"softmax keeps the precision (got dtype={dtype}): leave it out")
    return Softmax(dim=dim)


def dropout(p: float = 0.5) -> Layer:
    if p >= 1:
        raise Refusal(f"dropout must leave some neurons (got p={p}): say p below 1")
    return Answer(stage=Stage.DROPPED, declared={"dropout": p}) if p else Nothing()


def max_pool(
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Layer:
    if pair(dilation) != (1, 1):
        raise Refusal(f"windows of a maximum have no gaps (got dilation={dilation}): say dilation=1")
    if return_indices:
        raise Refusal("a maximum returns no indices: say return_indices=False")
    said: dict[str, Any] = {"size": pair(kernel_size), "padding": pair(padding)}
    said |= {"stride": pair(stride)} if stride else {}
    said |= {"ceil": True} if ceil_mode else {}
    return Reduce(wiring=lambda shape: Pool(kind="max", **said))


def average_pool(
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = None,
) -> Layer:
    if not count_include_pad and pair(padding) != (0, 0):
        raise Refusal("averages count the zeros of their padding: say count_include_pad=True, or padding=0")
    if divisor_override is not None:
        raise Refusal(f"an average is over its window (got divisor_override={divisor_override}): leave it out")
    said: dict[str, Any] = {"size": pair(kernel_size), "padding": pair(padding)}
    said |= {"stride": pair(stride)} if stride else {}
    wiring = Pool(kind="average", **said)

    def fitting(shape: Shape) -> Wiring:
        if ceil_mode and laid(wiring, shape) != laid(Pool(kind="max", **said, ceil=True), shape):
            raise Refusal(f"windows of an average do not hang over the border of maps {list(shape)}: "
                          "say ceil_mode=False, or pad")  # fmt: skip
        return wiring

    return Reduce(wiring=fitting)


def adaptive_average(output_size: Any) -> Layer:
    def fitting(shape: Shape) -> Wiring | None:
        to = _target(output_size, shape)
        if to == (1, 1):
            return Pool(kind="average", size="global")
        return None if to == shape[1:] else Pool(kind="average", to=to)

    return Reduce(wiring=fitting)


def adaptive_max(output_size: Any, return_indices: bool = False) -> Layer:
    if return_indices:
        raise Refusal("a maximum returns no indices: say return_indices=False")

    def fitting(shape: Shape) -> Wiring | None:
        to = _target(output_size, shape)
        if to == (1, 1):
            return Pool(kind="max", size="global")
        if shape[1] % to[0] or shape[2] % to[1]:
            raise Refusal(f"windows of a maximum are all of one size, and {list(to)} does not divide {list(shape)}: "
                          "use MaxPool2d, or AdaptiveAvgPool2d")  # fmt: skip
        window = (shape[1] // to[0], shape[2] // to[1])
        return None if window == (1, 1) else Pool(kind="max", size=window)

    return Reduce(wiring=fitting)


def _target(size: Any, shape: Shape) -> tuple[int, int]:
    high, wide = size if isinstance(size, tuple | list) else (size, size)
    return shape[1] if high is None else high, shape[2] if wide is None else wide


def flatten(start_dim: int = 0, end_dim: int = -1) -> Layer:
    if start_dim != 1 or end_dim not in (-1, 3):
        raise Refusal(
            f"flatten keeps the samples and makes one row of all else (got dimensions {start_dim} to {end_dim}): "
            "say start_dim=1"
        )
    return Row()


def pair(value: Any) -> tuple[int, int]:
    """One number, or a list of one, stands for both sides."""
    sides = tuple(value) if isinstance(value, tuple | list) else (value,)
    return (sides[0], sides[-1])


LAYERS: Mapping[type[nn.Module], Callable[[Any], Layer]] = MappingProxyType(
    {
        nn.Conv2d: conv,
        nn.Linear: linear,
        nn.BatchNorm2d: batch_norm,
        nn.BatchNorm1d: batch_norm,
        Offset: lambda m: Bias(channels=len(m.bias)),
        nn.ReLU: lambda m: transfer("relu"),
        nn.ReLU6: lambda m: transfer("relu6"),
        nn.Hardswish: lambda m: transfer("hardswish"),
        nn.SiLU: lambda m: transfer("silu"),
        nn.GELU: lambda m: gelu(m.approximate),
        nn.Tanh: lambda m: transfer("tanh"),
        nn.Sigmoid: lambda m: transfer("sigmoid"),
        nn.Softplus: lambda m: softplus(m.beta, m.threshold),
        nn.Softmax: lambda m: softmax(m.dim),
        nn.Dropout: lambda m: dropout(m.p),
        nn.MaxPool2d: lambda m: max_pool(m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, m.return_indices),
        nn.AvgPool2d: lambda m: average_pool(
            m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad, m.divisor_override
        ),
        nn.AdaptiveAvgPool2d: lambda m: adaptive_average(m.output_size),
        nn.AdaptiveMaxPool2d: lambda m: adaptive_max(m.output_size, m.return_indices),
        nn.Flatten: lambda m: flatten(m.start_dim, m.end_dim),
        nn.Identity: lambda m: Nothing(),
    }
)
"""By class, exactly: a subclass may compute something else."""

INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "LogSoftmax": SOFTMAX,
        "Dropout2d": "dropout is neuron by neuron, not by whole maps: use Dropout",
        "FeatureAlphaDropout": "dropout is neuron by neuron, not by whole maps: use Dropout",
        "Hardsigmoid": "its function is not among the transfer functions: the nearest is Sigmoid",
        "LeakyReLU": "its function is not among the transfer functions: the nearest are ReLU, Softplus, GELU",
        "PReLU": "transfer functions do not learn: the nearest is ReLU",
        "ELU": "its function is not among the transfer functions: the nearest are ReLU, Softplus, GELU",
        **dict.fromkeys(
            ("LayerNorm", "GroupNorm", "InstanceNorm2d", "LocalResponseNorm", "SyncBatchNorm", "RMSNorm"),
            "populations normalize over the batch or not at all: use BatchNorm2d",
        ),
        **dict.fromkeys(
            ("ConvTranspose2d", "Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d", "PixelShuffle"),
            "wirings keep the size of maps or reduce it: use Conv2d, pools",
        ),
        **dict.fromkeys(("Conv1d", "Conv3d", "BatchNorm3d"), "maps are [channels, height, width]: use the 2d form"),
        **dict.fromkeys(
            ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "MultiheadAttention"),
            "recurrence and attention are not supported",
        ),
    }
)
"""What to use instead of a layer that has no place, by the name of its class."""


def read_layer(module: nn.Module) -> Layer:
    """What a layer says by itself. Raises Refusal."""
    read = LAYERS.get(type(module))
    kind = type(module).__name__
    if read is None:
        raise Refusal(f"{kind} cannot be said: {INSTEAD.get(kind) or suggest(kind, known_layers(), 'layers')}")
    refuse_hooks(module)
    return read(module)


def refuse_hooks(module: nn.Module) -> None:
    """Hooks, and a `forward` of the instance: torch.fx passes them by at layers and at the top. Raises Refusal."""
    if module._forward_pre_hooks or module._forward_hooks:
        raise Refusal("it has hooks, which a circuit would not run: remove them (as remove_weight_norm does, say)")
    if "forward" in vars(module):
        raise Refusal("its forward was replaced on the instance: a class of its own says what it does")


def known_layers() -> list[str]:
    return [kind.__name__ for kind in LAYERS if kind is not Offset]
