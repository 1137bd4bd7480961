"""Torchvision's families of networks, in sizes that a test can afford: few classes, small images."""

from collections.abc import Callable
from functools import partial

import torch
import torchvision.models as zoo
from torch import nn

from .nets import lively

CLASSES = 10
HIDDEN = 64  # of AlexNet's and VGG's classifiers, where torchvision has 4096


def narrow(make: Callable[..., nn.Module]) -> nn.Module:
    """With fewer neurons in the two hidden layers of its classifier."""
    module = make(num_classes=CLASSES)
    last = CLASSES
    for index in reversed([i for i, layer in enumerate(module.classifier) if isinstance(layer, nn.Linear)]):
        old = module.classifier[index]
        inputs = HIDDEN if old.in_features == 4096 else old.in_features
        module.classifier[index] = nn.Linear(inputs, last)
        last = HIDDEN
    return module


def usual(make: Callable[..., nn.Module]) -> nn.Module:
    return make(num_classes=CLASSES)


def googlenet() -> nn.Module:
    return zoo.googlenet(num_classes=CLASSES, aux_logits=False, init_weights=False)


def inception() -> nn.Module:
    return zoo.inception_v3(num_classes=CLASSES, aux_logits=False, init_weights=False)


EXPRESSIBLE: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "resnet18": (partial(usual, zoo.resnet18), 64),
    "resnext50_32x4d": (partial(usual, zoo.resnext50_32x4d), 64),
    "wide_resnet50_2": (partial(usual, zoo.wide_resnet50_2), 64),
    "vgg11": (partial(narrow, zoo.vgg11), 64),
    "vgg11_bn": (partial(narrow, zoo.vgg11_bn), 64),
    "alexnet": (partial(narrow, zoo.alexnet), 96),
    "densenet121": (partial(usual, zoo.densenet121), 64),
    "mobilenet_v2": (partial(usual, zoo.mobilenet_v2), 64),
    "mnasnet0_5": (partial(usual, zoo.mnasnet0_5), 64),
    "squeezenet1_1": (partial(usual, zoo.squeezenet1_1), 64),
    "regnet_x_400mf": (partial(usual, zoo.regnet_x_400mf), 64),
    "googlenet": (googlenet, 64),
    "inception_v3": (inception, 96),
}
"""Family -> how to make one, and the side of its images."""


def network(family: str, seed: int = 0) -> tuple[nn.Module, int]:
    """One of a family in float64, with lively statistics, and the side of its images."""
    make, side = EXPRESSIBLE[family]
    torch.manual_seed(seed)
    return lively(make(), seed), side
