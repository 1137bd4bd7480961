"""From plain data to declarations: pydantic does the checking, this file makes its findings readable."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .errors import MAXIMAL_PROBLEMS, CircuitError, Problem, suggest
from .yamlfile import Document, Path_

Model = TypeVar("Model", bound=BaseModel)


def build(model: type[Model], document: Document) -> Model:
    """The declaration that a document describes. Raises CircuitError with every problem, each with its place."""
    if not isinstance(document.data, dict):
        found = "nothing" if document.data is None else f"a {_kind(document.data)}"
        raise CircuitError(document.problem(f"the file must hold a mapping of keys to values (got {found})"))
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        problems = sorted(set(_problems(error, document, model)), key=lambda p: (p.location, p.path))
        raise CircuitError(problems) from None


def _problems(error: ValidationError, document: Document, model: type[BaseModel]) -> Iterator[Problem]:
    """What is wrong, as far as anyone will read: the first in the file. To say it well is what takes time."""
    every = error.errors(include_url=False)
    # Of a list with a wrong item pydantic says that it is too short, too: the item does not count.
    inside = {each["loc"][:end] for each in every for end in range(len(each["loc"]))}
    wrong = [each for each in every if each["type"] != "too_short" or each["loc"] not in inside]
    found = [(_written(each["loc"], document.data), each) for each in wrong]
    found.sort(key=lambda each: document.location(each[0]))
    for path, each in found[: MAXIMAL_PROBLEMS + 1]:
        yield document.problem(_message(each, model), path)


def _written(loc: tuple[int | str, ...], data: Any) -> Path_:
    """The part of pydantic's location that stands in the file (unions and validators add steps of their own)."""
    path: list[str | int] = []
    for step in loc:
        is_item = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if is_item or (isinstance(data, Mapping) and step in data):
            data = data[step]
            path.append(step)
    return tuple(path)


def _kind(value: object) -> str:
    names = {dict: "mapping", list: "list", str: "text", bool: "truth value", int: "number", float: "number"}
    return names.get(type(value), type(value).__name__)


def _shown(value: object) -> str:
    """A value as it is written in YAML, cut where it is long."""
    words = {None: "nothing", True: "true", False: "false"}
    text = words[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_MUST_BE = {
    "whole number": ("int_type", "int_parsing", "int_from_float", "int_parsing_size"),
    "finite number": ("float_type", "float_parsing", "finite_number"),
    "truth value, true or false": ("bool_type", "bool_parsing"),
    "text": ("string_type",),
    "mapping of keys to values": ("dict_type", "model_type", "model_attributes_type", "mapping_type"),
    "list": ("list_type", "tuple_type"),
}
_KINDS = {code: f"must be a {noun}".replace("a text", "text") for noun, codes in _MUST_BE.items() for code in codes}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def _message(found: Any, model: type[BaseModel]) -> str:
    kind, context, value = found["type"], found.get("ctx", {}), found["input"]
    match kind:
        case "extra_forbidden":
            valid = keys_at(model, found["loc"][:-1])
            return f"unknown key '{found['loc'][-1]}'. {suggest(str(found['loc'][-1]), valid, 'valid keys')}"
        case "missing":
            return f"'{found['loc'][-1]}' must be given"
        case "value_error":
            return str(context.get("error", found["msg"]))
        case "choice":
            options = found["msg"].removeprefix("must name exactly one of ").split(", ")
            word = next(iter(value)) if isinstance(value, Mapping) and len(value) == 1 else value
            return f"{found['msg']} (got {_shown(value)}). {suggest(str(word), options)}"
        case "literal_error" if found["loc"][-1] == "format":
            return f"this release reads format {context['expected']} (got {_shown(value)})"
        case "form":
            return f"{found['msg']} (got {_shown(value)})"
        case "literal_error":
            options = [option.strip(" '") for option in str(context["expected"]).replace(" or ", ", ").split(",")]
            if len(options) == 1:
                return f"must be {options[0]} (got {_shown(value)})"
            return f"must be one of {', '.join(options)} (got {_shown(value)}). {suggest(str(value), options)}"
        case "too_long" | "too_short":
            count = context.get("max_length", context.get("min_length"))
            return f"must have {count} items (got {_shown(value)})"
        case _ if kind in _KINDS:
            return f"{_KINDS[kind]} (got {_shown(value)})"
        case _ if kind in _BOUNDS:
            words, bound = _BOUNDS[kind]
            limit = f"{context[bound]:.12g}"
            return f"must be {words} {limit} (got {_shown(value)})"
        case _:
            text = found["msg"].removeprefix("Input ").removeprefix("Value error, ")
            return f"{text[:1].lower()}{text[1:]} (got {_shown(value)})"


def keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand at a location of a model, as they are written in YAML."""
    current: list[type[BaseModel]] = [model]
    for step in loc:
        chosen = [choice for choice in current if getattr(choice, "kind", None) == step]
        current = chosen or [inner for outer in current for inner in _models_under(outer, step)] or current
    return sorted({field.alias or name for m in current for name, field in m.model_fields.items()})


def _models_under(model: type[BaseModel], step: int | str) -> list[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if step in (name, field.alias):
            return list(_models_in(field.annotation))
    return []


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
