"""Random trees that a JSON schema of the language allows: right in form, seldom in sense."""

from functools import cache
from typing import Any

from hypothesis import strategies as st

from counterstream.cli.schema import Kind, document

from . import equations, odd
from .mutations import as_json

_NAMES = (
    st.sampled_from(("x", "h", "y", "h~", "y~", "block1", "stage1", "engaged", "mirror", "decay", "r", "w1", "x->h"))
    | odd.words()
)
_KEYS = st.lists(_NAMES, max_size=3, unique=True)
_WHOLE = st.integers(1, 5) | odd.numbers()
_TRUTH = st.booleans()
_OF_4, _OF_13, _OF_61 = (st.integers(0, number - 1) for number in (4, 13, 61))
_WORDS_OF = {
    "transfer": st.sampled_from(("linear", "relu", "tanh", "softmax", "sigmoid")),
    "loss": st.sampled_from(("squared", "cross_entropy")),
    "learning": st.sampled_from(("backprop", "kolen_pollack", "weight_mirror", "nothing")),
    "circuit": st.sampled_from(("mlp", "lenet", "nothing")),
}
_DEEPEST = 6


@cache
def _schema(kind: Kind) -> Any:
    return document(kind)


@st.composite
def trees(draw: st.DrawFn, kind: str) -> str:
    """A random tree of a kind of file: circuit, learning, experiment."""
    schema = _schema(Kind(kind))
    return as_json(_Grower(draw, schema["$defs"]).value(schema, "", 0))


class _Grower:
    """Grows one tree along a schema."""

    def __init__(self, draw: st.DrawFn, definitions: dict[str, Any]) -> None:
        self.draw = draw
        self.definitions = definitions

    def value(self, schema: Any, key: str, depth: int) -> Any:
        if depth > _DEEPEST or self.draw(_OF_61) == 0:
            return self.draw(odd.values())
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].rpartition("/")[2]]
        if "anyOf" in schema:
            return self.value(self.draw(st.sampled_from(schema["anyOf"])), key, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.draw(st.sampled_from(schema["enum"]))
        match schema.get("type"):
            case "object":
                return self._mapping(schema, depth)
            case "array":
                return self._list(schema, key, depth)
            case "integer":
                return self.draw(_WHOLE)
            case "number":
                return self.draw(odd.numbers())
            case "boolean":
                return self.draw(_TRUTH)
            case "null":
                return None
            case "string":
                return self._text(key)
        return self.draw(odd.values())

    def _mapping(self, schema: Any, depth: int) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        found = {
            key: self.value(inner, key, depth + 1)
            for key, inner in schema.get("properties", {}).items()
            if key in required or self.draw(_OF_4) == 0
        }
        if isinstance(rest := schema.get("additionalProperties"), dict) or rest is True:
            for name in self.draw(_KEYS):
                found[name] = self.value(rest if isinstance(rest, dict) else {}, name, depth + 1)
        return found

    def _list(self, schema: Any, key: str, depth: int) -> list[Any]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
        return [self.value(schema.get("items", {}), key, depth + 1) for _ in range(self.draw(st.integers(least, most)))]

    def _text(self, key: str) -> str:
        if key == "dw" or self.draw(_OF_13) == 0:
            return self.draw(equations.rules())
        if key in _WORDS_OF and self.draw(_OF_13):
            return self.draw(_WORDS_OF[key])
        return self.draw(_NAMES)
