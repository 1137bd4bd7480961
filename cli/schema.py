"""`counterstream schema`: JSON Schema of the YAML files, for editors."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel


class Kind(StrEnum):
    """The kinds of YAML file."""

    circuit = "circuit"
    learning = "learning"
    experiment = "experiment"


def schema(
    kind: Annotated[Kind, typer.Argument(help="Which kind of file.")] = Kind.circuit,
) -> None:
    """Print the JSON Schema of a kind of YAML file, for an editor's completion and checks.

    \b
    Example, with the YAML language server (VS Code and others):
      counterstream schema circuit > circuit.schema.json
      and as first line of the circuit: # yaml-language-server: $schema=circuit.schema.json
    """
    import json

    print(json.dumps(document(kind), indent=1))


def document(kind: Kind) -> dict[str, Any]:
    """The schema as data, generated from the declarations themselves."""
    from ..circuits.declarations import Circuit, LearningSystem
    from ..engine.training import Experiment

    models: dict[Kind, type[BaseModel]] = {
        Kind.circuit: Circuit,
        Kind.learning: LearningSystem,
        Kind.experiment: Experiment,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **models[kind].model_json_schema(by_alias=True),
    }
