"""Stock circuits as Python: the circuits that the files in models/circuits/ declare, written out by `Builder`.

    from counterstream.models.networks import resnet50
    circuit = resnet50(classes=100, learning="weight_mirror")

A file repeats blocks, a twin has none: `compact(load("resnet50")) == resnet50()`, where `compact` (circuits/expansion)
writes blocks and stages out, and `expand` of both is the same. With blocks, `load("resnet50") == resnet50()` is False.

Each takes the options of its file as keywords, and `learning`. The exceptions are `block`, `opening` and `wider` of the
residual networks, names of blocks in the file: here the function's name settles them (resnet50 has bottlenecks).
"""

from .alexnet import alexnet
from .digits_resnet import digits_resnet
from .lenet import lenet
from .mlp import mlp
from .plain_cnn import plain_cnn
from .resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from .resnet_post import resnet18_post, resnet34_post, resnet50_post, resnet101_post, resnet152_post
from .resnet_v2 import resnet18_v2, resnet34_v2, resnet50_v2, resnet101_v2, resnet152_v2
from .vgg import vgg11_bn, vgg13_bn, vgg16_bn, vgg19_bn

__all__ = [
    "alexnet",
    "digits_resnet",
    "lenet",
    "mlp",
    "plain_cnn",
    "resnet18",
    "resnet18_post",
    "resnet18_v2",
    "resnet34",
    "resnet34_post",
    "resnet34_v2",
    "resnet50",
    "resnet50_post",
    "resnet50_v2",
    "resnet101",
    "resnet101_post",
    "resnet101_v2",
    "resnet152",
    "resnet152_post",
    "resnet152_v2",
    "vgg11_bn",
    "vgg13_bn",
    "vgg16_bn",
    "vgg19_bn",
]
