"""The root of a recording: its attributes, its texts, its environment and results."""

import yaml

from ..errors import Damage
from ..recipe import LARGEST_DOCUMENT
from .attributes import ROOT, ROOT_OF_VERSION_1, TEXT, kind_of
from .inspection import Inspection

ENDINGS = ("interrupted", "failed")  # of which the message tells why


def check_header(file: Inspection) -> None:
    """Table 1, `circuit`, `experiment`, `environment` and `results`."""
    said = file.attributes((), ROOT if file.version > 1 else ROOT_OF_VERSION_1)
    if said.get("message") and said.get("status", ENDINGS[0]) not in ENDINGS:
        file.notes.add(f"attribute 'message' must be empty where status is {said['status']} (got {said['message']!r})")
    for name in ("circuit", "experiment"):
        _check_text(file, name)
    for group, kinds in (("environment", (TEXT,)), ("results", ())):
        if file.notes.attempt(file.store.group, group) is not None:
            file.plain((group,), "", *kinds)


def _check_text(file: Inspection, name: str) -> None:
    text = file.notes.attempt(file.store.text, name)
    if text is None:
        return
    with file.notes.noting(name):
        found = kind_of(file.store.dataset(name).id.get_type())
        if found != TEXT:
            raise Damage(f"must be text of varying length in UTF-8 (got {found})")
    if len(text) > LARGEST_DOCUMENT:
        file.notes.add(f"must have at most {LARGEST_DOCUMENT} characters (got {len(text)})", name)
        return
    try:
        yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        file.notes.add(f"must be YAML ({' '.join(str(error).split())})", name)
