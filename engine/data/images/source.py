"""Where a split's images come from: files of a folder, or a packed file."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .decoding import BadImage, Encoded
from .index import Index
from .views import Opened

Policy = Literal["error", "skip"]
"""What a bad file does in training: end the run, or be replaced."""


class Source(ABC):
    """Images by position. It may be handed to other processes at no cost that grows with their number."""

    @property
    @abstractmethod
    def labels(self) -> NDArray[np.int32]:
        """The class of each."""

    @abstractmethod
    def name(self, position: int) -> str:
        """What a user would look for: the path of a file, or the place in a packed one."""

    @abstractmethod
    def short_name(self, position: int) -> str:
        """The path below the split's folder, as it is or was."""

    @abstractmethod
    def open(self, position: int) -> Opened:
        """Raises BadImage."""


@dataclass(frozen=True)
class Files(Source):
    """The files of an index, each read as a whole."""

    index: Index

    @property
    def labels(self) -> NDArray[np.int32]:
        return self.index.labels

    def name(self, position: int) -> str:
        return str(self.index.path(position))

    def short_name(self, position: int) -> str:
        return self.index.name(position)

    def open(self, position: int) -> Opened:
        try:
            data = self.index.path(position).read_bytes()
        except OSError as error:
            raise BadImage(f"it cannot be read ({error.strerror or error})") from None
        return Encoded(data)
