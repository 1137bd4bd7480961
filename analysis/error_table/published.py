"""What others reported, from `published.yaml`: never measured here, and marked with how it is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ..texts import mapping


@dataclass(frozen=True, kw_only=True)
class Published:
    """One network's line in one source: top-1 errors in percent by learning system.

    mark: how the figures are known; `meaning` says it in words. circuits: the stock circuits that they speak of.
    """

    network: str
    source: str
    citation: str
    mark: str
    meaning: str
    circuits: tuple[str, ...]
    errors: Mapping[str, float]

    def __str__(self) -> str:
        return f"{self.source} [{self.mark}]"


@dataclass(frozen=True, kw_only=True)
class PublishedTask:
    """What all of them were trained on."""

    data: str
    classes: int
    images: int


@lru_cache(maxsize=1)
def published() -> tuple[Published, ...]:
    """Every line, in the order of the file."""
    data = _file()
    return tuple(
        Published(
            network=network,
            source=source["name"],
            citation=source["citation"],
            mark=source["mark"],
            meaning=data["marks"][source["mark"]],
            circuits=tuple(data["circuits"][network]),
            errors=errors,
        )
        for source in data["sources"]
        for network, errors in source["errors"].items()
    )


def published_task() -> PublishedTask:
    return PublishedTask(**_file()["task"])


def _file() -> dict[str, Any]:
    return mapping(files(__package__).joinpath("published.yaml").read_text(encoding="utf-8"))
