"""Safe YAML with positions: what a file says, and where it says it."""

import codecs
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .characters import REORDERING, UNSEEN, named
from .errors import CircuitError, Location, Problem, Problems

Path_ = tuple[str | int, ...]

MAXIMAL_SIZE = 1_500_000  # characters; ResNet-152 with everything written out has 180,000
_MAXIMAL_BYTES = 4 * MAXIMAL_SIZE
MAXIMAL_NODES = 150_000  # values; ResNet-152 has 17,000. Counted with aliases expanded: "billion laughs" ends early
MAXIMAL_DEPTH = 60

_LOADER: Any = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # libyaml, where PyYAML was built with it, is ten times as fast
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "map", "seq")}
_TEXT_TAG = "tag:yaml.org,2002:str"
_FLOAT = re.compile(r"[-+]?(\d[\d_]*\.[\d_]*|\.\d[\d_]*|\d[\d_]*)([eE][-+]?\d+)?", re.ASCII)
_HALF = re.compile("[\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?(0|[1-9][\d_]*)", re.ASCII)


@dataclass(frozen=True)
class Document:
    """Plain data and the place of every key and item in them.

    `locations` are places in `file`. A document that was derived from others (blocks written out, a learning system
    put in the place of its name) says in `origins` which of its parts stands where in which of them: problems name
    the place and the path that a person wrote.
    """

    data: Any
    file: str = ""
    locations: Mapping[Path_, Location] = field(default_factory=dict)
    origins: Mapping[Path_, tuple["Document", Path_]] = field(default_factory=dict)
    texts: Mapping[Path_, Location] = field(default_factory=dict)
    """Where the first character stands of each text that fills one line without escapes."""

    def written(self, path: Path_) -> tuple["Document", Path_]:
        """The document in which `path` was written, and its path there."""
        for end in range(len(path), -1, -1) if self.origins else ():
            if path[:end] in self.origins:
                document, start = self.origins[path[:end]]
                return document.written((*start, *path[end:]))
        return self, path

    def location(self, path: Path_) -> Location:
        """Where `path` stands, or the nearest thing above it that has a place."""
        document, path = self.written(path)
        for end in range(len(path), -1, -1):
            if path[:end] in document.locations:
                return document.locations[path[:end]]
        return Location(document.file)

    def text_location(self, path: Path_) -> Location | None:
        """Where the first character of the text at `path` stands, if places in it can be counted from there."""
        document, path = self.written(path)
        return document.texts.get(path)

    def problem(self, message: str, path: Path_ = ()) -> Problem:
        """What is wrong at `path`, with its place."""
        return Problem(message, path_text(self.written(path)[1]), self.location(path))

    def at(self, *path: str | int) -> "Document":
        """The part of the document under a path."""
        data = self.data
        for step in path:
            data = data[step]
        return Document(data, self.file, origins={(): (self, path)})


def path_text(path: Path_) -> str:
    """`("projections", 2, "wiring")` as `projections[2].wiring`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def read_file(path: str | Path) -> Document:
    """The document in a file. Raises CircuitError if it cannot be read or is not YAML."""
    name = str(path)

    def unreadable(why: str) -> CircuitError:
        return CircuitError(Problem(f"the file '{name}' must be readable ({why})", "", Location(name)))

    try:
        if Path(path).exists() and not Path(path).is_file():  # a device or a pipe may never end
            raise unreadable("it is no regular file")
        with Path(path).open("rb") as file:
            content = file.read(_MAXIMAL_BYTES + 1)  # the size that a file system tells may be wrong
    except OSError as error:
        raise unreadable(error.strerror or str(error)) from None
    except ValueError as error:  # a path with a null character
        raise unreadable(str(error)) from None
    return read(_decoded(content, name), name)


def _decoded(content: bytes, file: str) -> str:
    """UTF-8 bytes as text, without the mark that some editors put at the start."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        wrong = "a file must be UTF-8 text (got UTF-16: save it as UTF-8)"
        raise CircuitError(Problem(wrong, "", Location(file, 1, 1)))
    try:
        text, _ = codecs.utf_8_decode(content.removeprefix(codecs.BOM_UTF8), "strict", len(content) <= _MAXIMAL_BYTES)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", errors="replace")
        found = f"got the byte 0x{content[error.start]:02X}, {error.reason}: save it as UTF-8"
        raise CircuitError(Problem(f"a file must be UTF-8 text ({found})", "", _end_of(before, file))) from None
    return text


def _end_of(before: str, file: str) -> Location:
    """The place of the character that comes after some text."""
    lines = before.split("\n")
    return Location(file, len(lines), len(lines[-1]) + 1)


def read(text: str, file: str = "") -> Document:
    """Parse YAML 1.2-like text into plain data (dict, list, str, int, float, bool, None).

    `1e-3` is a number, `on`, `off`, `yes` and `no` are words, a key that stands twice is an error. Nothing is ever
    constructed or evaluated: tags other than the plain ones are refused. Raises CircuitError.
    """
    if len(text) > MAXIMAL_SIZE:
        place = Location(file, text.count("\n", 0, MAXIMAL_SIZE) + 1, 1)
        raise CircuitError(Problem(f"a file must have at most {MAXIMAL_SIZE} characters (they end here)", "", place))
    reordering = "marks that make text read in another order"
    for characters, what in ((UNSEEN, "control characters"), (REORDERING, reordering)):
        if found := characters.search(text):
            message = f"a file must hold no {what} (got {named(found[0])})"
            raise CircuitError(Problem(message, "", _end_of(text[: found.start()], file)))
    reader = _Reader(text, file)
    try:
        data = reader.document()
    except yaml.MarkedYAMLError as error:
        raise CircuitError(Problem(_syntax(error), "", _place(file, error.problem_mark))) from None
    except (yaml.YAMLError, UnicodeError) as error:
        why = " ".join(str(error).split())
        raise CircuitError(Problem(f"the text must be YAML ({why})", "", Location(file, 1, 1))) from None
    reader.problems.stop()
    return Document(data, file, reader.locations, texts=reader.texts)


def _syntax(error: yaml.MarkedYAMLError) -> str:
    context = f"{error.context}, " if error.context else ""
    return f"the text must be YAML ({context}{error.problem})"


def _place(file: str, mark: Any) -> Location:
    return Location(file, mark.line + 1, mark.column + 1) if mark else Location(file)


class _Reader:
    """Turns the events of a YAML parser into plain data, noting where each stands and what is wrong.

    Events, not nodes: reading can end at the first level too deep, and an alias costs nothing but its count.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.locations: dict[Path_, Location] = {}
        self.texts: dict[Path_, Location] = {}
        self.problems = Problems()
        self._events = iter(yaml.parse(text, Loader=_LOADER))
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0

    def document(self) -> Any:
        """The one document in the text, or None where there is nothing."""
        data, documents = None, 0
        self.locations[()] = Location(self.file, 1, 1)  # where nothing else stands
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._stop("a file must hold one document ('---' begins another)", event)
                data = self._value(next(self._events), ())
        return data

    def _value(self, event: Any, path: Path_) -> Any:
        if not path or path not in self.locations:
            self.locations[path] = _place(self.file, event.start_mark)
        before = self._nodes
        self._count(1, event)
        if len(path) > MAXIMAL_DEPTH:
            self._stop(f"YAML must be nested at most {MAXIMAL_DEPTH} deep", event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if isinstance(event, yaml.MappingStartEvent):
            data: Any = self._mapping(path)
        elif isinstance(event, yaml.SequenceStartEvent):
            data = self._sequence(path)
        else:
            data = self._scalar(event, path)
        if event.tag and event.tag not in _PLAIN_TAGS and event.tag not in ("!", _TEXT_TAG):
            self._complain(f"a value must be plain data (got the tag {event.tag})", path, event)
        if event.anchor:
            self._anchors[event.anchor] = (data, self._nodes - before)
        return data

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            self._stop(f"an alias must name an anchor that ends above it (got '*{event.anchor}')", event)
        data, size = self._anchors[event.anchor]
        self._count(size, event)
        return data

    def _mapping(self, path: Path_) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or (event.value == "<<" and not event.style):
                self._complain("a key must be a plain word", path, event)
                self._value(event, (*path, "?"))
                self._value(next(self._events), (*path, "?"))
                continue
            key = event.value
            self._text(key, (*path, key), event)
            if twice := key in result:
                self._complain(f"a key must stand once ('{key}' stands twice)", (*path, key), event)
            else:
                self.locations[*path, key] = _place(self.file, event.start_mark)
            value = self._value(next(self._events), (*path, key))
            if not twice:
                result[key] = value
        return result

    def _sequence(self, path: Path_) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _scalar(self, event: Any, path: Path_) -> Any:
        self._text(event.value, path, event)
        start, end, quotes = event.start_mark, event.end_mark, 2 if event.style in ("'", '"') else 0
        if start.line == end.line and end.column - start.column == len(event.value) + quotes:
            self.texts[path] = Location(self.file, start.line + 1, start.column + 1 + quotes // 2)
        is_text = event.style not in (None, "") or event.tag in ("!", _TEXT_TAG)
        return event.value if is_text else _plain(event.value)

    def _text(self, text: str, path: Path_, event: Any) -> None:
        if not text.isascii() and _HALF.search(text):  # written as an escape; no file could hold it
            self._complain("a text must hold whole characters (got half of a surrogate pair)", path, event)

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > MAXIMAL_NODES:
            self._stop(f"a file must hold at most {MAXIMAL_NODES} values, aliases expanded", event)

    def _complain(self, message: str, path: Path_, event: Any) -> None:
        self.problems.add(Problem(message, path_text(path), _place(self.file, event.start_mark)))

    def _stop(self, message: str, event: Any) -> None:
        self._complain(message, (), event)
        self.problems.stop()


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
