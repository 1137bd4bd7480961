"""Stock circuits as Python: the same circuits that the files in models/circuits/ declare, built with `Builder`.

    from counterstream.models.networks import resnet50
    circuit = resnet50(classes=100, learning="weight_mirror")

Each takes the options of its file as keywords, and `learning`.
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
