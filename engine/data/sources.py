"""Every source of data that an experiment can name."""

from typing import Annotated, get_args

from ...circuits.tagged import Choice
from .arrays import Arrays
from .digits import Digits
from .images.imagenet import ImageNet

Data = Annotated[Digits | Arrays | ImageNet, Choice()]

SOURCES = {source.kind: source.about for source in get_args(get_args(Data)[0])}
