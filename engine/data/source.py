"""What an experiment may name as its data: the base of every source's declaration."""

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from ...circuits.model import Declaration
from .dataset import Dataset


class DataSource(Declaration):
    """A kind of data and its settings, as written in an experiment. A new one: a file, and an entry in `sources.py`."""

    kind: ClassVar[str]
    """Its name in YAML."""
    about: ClassVar[str]
    """One line for `counterstream list`."""

    @abstractmethod
    def load(self) -> Dataset:
        """The data. Raises DataError where they cannot be had."""

    def anchored(self, folder: Path) -> Self:
        """The same declaration with relative paths made absolute, counted from `folder`."""
        return self
