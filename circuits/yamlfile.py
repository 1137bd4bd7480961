"""Safe YAML with positions: what a file says, and where it says it."""

import math
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .errors import CircuitError, Location, Problem

Path_ = tuple[str | int, ...]

MAXIMAL_SIZE = 4_000_000  # characters; a circuit of a million lines is a mistake, not a circuit
MAXIMAL_NODES = 400_000  # counted with aliases expanded, so that "billion laughs" ends early
MAXIMAL_DEPTH = 60

_FLOAT = re.compile(r"[-+]?(\d[\d_]*\.[\d_]*|\.\d[\d_]*|\d[\d_]*)([eE][-+]?\d+)?")
_INTEGER = re.compile(r"[-+]?(0|[1-9][\d_]*)")


@dataclass(frozen=True)
class Document:
    """The plain data of a YAML file and the location of every key and item in it."""

    data: Any
    file: str = ""
    locations: Mapping[Path_, Location] = field(default_factory=dict)

    def location(self, path: Path_) -> Location:
        """Where `path` stands, or the nearest thing above it that has a place."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.locations:
                return self.locations[path[:end]]
        return Location(self.file)

    def problem(self, message: str, path: Path_ = ()) -> Problem:
        return Problem(message, path_text(path), self.location(path))

    def at(self, key: str | int) -> "Document":
        """The part of the document under one key."""
        below = {path[1:]: place for path, place in self.locations.items() if path[:1] == (key,)}
        return Document(self.data[key], self.file, below)


def path_text(path: Path_) -> str:
    """`("projections", 2, "wiring")` as `projections[2].wiring`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def read_file(path: str | Path) -> Document:
    """The document in a file. Raises CircuitError if it cannot be read or is not YAML."""
    name = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CircuitError(
            Problem(f"the file must be readable ({error.strerror or error})", "", Location(name))
        ) from None
    except UnicodeDecodeError as error:
        raise CircuitError(Problem(f"the file must be UTF-8 text ({error.reason})", "", Location(name))) from None
    return read(text, name)


def read(text: str, file: str = "") -> Document:
    """Parse YAML 1.2-like text into plain data (dict, list, str, int, float, bool, None).

    `1e-3` is a number, `on`, `off`, `yes` and `no` are words, a key that stands twice is an error. Nothing is ever
    constructed or evaluated: tags other than the plain ones are refused. Raises CircuitError.
    """
    if len(text) > MAXIMAL_SIZE:
        raise CircuitError(
            Problem(f"a file must have at most {MAXIMAL_SIZE} characters (got {len(text)})", "", Location(file))
        )
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise CircuitError(Problem(_syntax(error), "", _place(file, error.problem_mark))) from None
    except yaml.YAMLError as error:
        raise CircuitError(Problem(f"the text must be YAML ({error})", "", Location(file))) from None
    except RecursionError:
        raise CircuitError(Problem(f"YAML must be nested at most {MAXIMAL_DEPTH} deep", "", Location(file))) from None
    reader = _Reader(file)
    data = reader.value(node, ()) if node is not None else None
    if reader.problems:
        raise CircuitError(reader.problems)
    return Document(data, file, reader.locations)


def _syntax(error: yaml.MarkedYAMLError) -> str:
    context = f"{error.context}, " if error.context else ""
    return f"the text must be YAML ({context}{error.problem})"


def _place(file: str, mark: Any) -> Location:
    return Location(file, mark.line + 1, mark.column + 1) if mark else Location(file)


class _Reader:
    """Turns composed nodes into plain data, noting where each stands and what is wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.locations: dict[Path_, Location] = {}
        self.problems: list[Problem] = []
        self._nodes = 0

    def value(self, node: yaml.Node, path: Path_) -> Any:
        self._nodes += 1
        place = _place(self.file, node.start_mark)
        self.locations.setdefault(path, place)
        if len(path) > MAXIMAL_DEPTH:
            raise CircuitError(Problem(f"YAML must be nested at most {MAXIMAL_DEPTH} deep", "", place))
        if self._nodes > MAXIMAL_NODES:
            raise CircuitError(Problem(f"a file must hold at most {MAXIMAL_NODES} values, aliases expanded", "", place))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[Hashable, Any]:
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            place = _place(self.file, key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                self._complain("a key must be a plain word", path, place)
                continue
            key = key_node.value
            if key in result:
                self._complain(f"a key must stand once ('{key}' stands twice)", (*path, key), place)
                continue
            self.locations[*path, key] = place
            result[key] = self.value(value_node, (*path, key))
        return result

    def _scalar(self, node: yaml.Node, path: Path_) -> Any:
        text, plain = node.value, node.style is None
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.endswith(
            ("python/name", "binary", "set", "omap", "pairs")
        ):
            self._complain(
                f"a value must be plain data (got the tag {node.tag})", path, _place(self.file, node.start_mark)
            )
            return None
        return _plain(text) if plain else text

    def _complain(self, message: str, path: Path_, place: Location) -> None:
        self.problems.append(Problem(message, path_text(path), place))


def _plain(text: str) -> Any:
    """A scalar without quotes, by the rules of YAML 1.2's core schema."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text) and len(text) < 25:
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return number if math.isfinite(number) else text
    return text
