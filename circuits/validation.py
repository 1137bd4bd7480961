"""From plain data to declarations: pydantic does the checking, this file makes its findings readable."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .errors import CircuitError, Problem, suggest
from .yamlfile import Document, Path_, path_text

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
    for found in error.errors(include_url=False, include_context=True):
        path = _written(found["loc"], document.data)
        yield Problem(_message(found, model), path_text(path), document.location(path))


def _written(loc: tuple[int | str, ...], data: Any) -> Path_:
    """The part of pydantic's location that stands in the file (union branches and validators add steps of their own)."""
    path: list[str | int] = []
    for step in loc:
        if (isinstance(data, Mapping) and step in data) or (isinstance(data, list) and isinstance(step, int) and step < len(data)):
            data = data[step]
        elif step == loc[-1] and isinstance(data, Mapping) and isinstance(step, str) and step.isidentifier():
            data = None  # a key that is missing is named all the same
        else:
            continue
        path.append(step)
    return tuple(path)


def _kind(value: object) -> str:
    names = {dict: "mapping", list: "list", str: "text", bool: "truth value", int: "number", float: "number"}
    return names.get(type(value), type(value).__name__)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _message(found: Any, model: type[BaseModel]) -> str:
    kind, context, value = found["type"], found.get("ctx", {}), found["input"]
    match kind:
        case "extra_forbidden":
            valid = keys_at(model, found["loc"][:-1])
            return f"unknown key '{found['loc'][-1]}'. {suggest(str(found['loc'][-1]), valid, 'valid keys')}"
        case "missing":
            return "this key must be given"
        case "value_error":
            return str(context.get("error", found["msg"]))
        case "choice":
            options = found["msg"].removeprefix("must name exactly one of ").split(", ")
            word = next(iter(value)) if isinstance(value, Mapping) and len(value) == 1 else value
            return f"{found['msg']} (got {_shown(value)}). {suggest(str(word), options)}"
        case "literal_error":
            options = [option.strip(" '") for option in str(context["expected"]).replace(" or ", ", ").split(",")]
            return f"must be one of {', '.join(options)} (got {_shown(value)}). {suggest(str(value), options)}"
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
