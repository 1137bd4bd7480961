"""Recorded YAML texts as plain data, for those who can do without: where a text is none, nothing is known."""

from functools import lru_cache
from typing import Any

import yaml

LARGEST = 1 << 22  # characters: no circuit comes near
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where there is one: a large circuit takes Python seconds


@lru_cache(maxsize=64)
def mapping(text: str) -> dict[str, Any]:
    """A recorded YAML text as a mapping, empty where it is none.

    No recording has aliases, by which a short text can stand for endless data.
    """
    if len(text) > LARGEST:
        return {}
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, LOADER)):
            return {}
        found = yaml.load(text, LOADER)
        repr(found)  # what is nested too deeply for that is refused here, once
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
