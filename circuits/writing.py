"""Circuits as text: the YAML that loads to the same circuit."""

from typing import Any

import yaml
from pydantic import BaseModel


def as_data(declaration: BaseModel) -> dict[str, Any]:
    """Plain data of a declaration, defaults left out, keys as they are written in files."""
    data: dict[str, Any] = declaration.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {"format": 1, **data} if "format" in type(declaration).model_fields else data


class _Dumper(yaml.SafeDumper):
    """Short mappings on one line, as people write them; strings that would read as something else are quoted."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        plain = yaml.SafeLoader.yaml_implicit_resolvers
        ambiguous = text[:1] in plain and any(pattern.match(text) for _, pattern in plain[text[:1]])
        quoted = ambiguous or _reads_as_number(text) or any(sign in text for sign in "*-,:{}[]#")
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"' if quoted and "->" not in text else None)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_Dumper.add_representer(str, _Dumper.represent_str)


def dump(declaration: BaseModel) -> str:
    """YAML text of a circuit, a learning system or any other declaration. Reading it gives an equal declaration."""
    lines = []
    for key, value in as_data(declaration).items():
        lines.append(_section(key, value))
    return "".join(lines)


def _section(key: str, value: Any) -> str:
    """One top-level key: one line an item where its value is a collection of collections."""
    if isinstance(value, dict) and any(isinstance(item, dict) for item in value.values()):
        return f"{key}:\n" + "".join(f"  {_flow(name)}: {_flow(item)}\n" for name, item in value.items())
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return f"{key}:\n" + "".join(f"  - {_flow(item)}\n" for item in value)
    return f"{key}: {_flow(value)}\n"


def _flow(value: Any) -> str:
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, sort_keys=False, width=10**9, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("...").removesuffix("\n")
