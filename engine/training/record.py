"""What an experiment's `record` says: what goes into the HDF5 file, when, and in which form."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, WrapSerializer, model_validator

from ...circuits.model import Declaration
from ..recorder import Compression, Precision, What
from ..recorder.selection import ALL, Role
from .when import EVERY_EPOCH, When

WiringKind = Literal["conv", "dense"]
NONE = "none"


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _nothing(value: Any) -> Any:
    if value is None:
        raise ValueError("must be none, which records nothing of it, or say what to record (got nothing)")
    return None if value == NONE else value


def _written(value: Any, handler: SerializerFunctionWrapHandler) -> Any:
    return NONE if value is None else handler(value)


_Selectors = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
_OrNone = (BeforeValidator(_nothing), WrapSerializer(_written))


class RecordWeights(Declaration):
    """Weights of projections. The first and the last state are always recorded."""

    projections: _Selectors = Field(default=(ALL,), description="Names or globs, W with its B; or all.")
    role: Role = "both"
    wiring: Annotated[tuple[WiringKind, ...], BeforeValidator(_listed), Field(min_length=1)] = ("conv", "dense")
    when: When = EVERY_EPOCH
    precision: Precision = "float32"
    compression: Compression = "none"


class RecordSignals(Declaration):
    """Rates and deltas of populations on the probe."""

    populations: _Selectors = Field(description="Names or globs of forward populations; or all.")
    what: Annotated[tuple[What, ...], BeforeValidator(_listed), Field(min_length=1)] = ("rate", "delta")
    when: When = EVERY_EPOCH
    precision: Precision = "float32"
    compression: Compression = "none"

    @model_validator(mode="after")
    def _each_once(self) -> "RecordSignals":
        if len(set(self.what)) < len(self.what):
            raise ValueError(f"what must name each once (got {', '.join(self.what)})")
        return self


class RecordAngles(Declaration):
    """Matrix, delta and local angles and norm ratios, computed on the device, on the probe."""

    when: When = EVERY_EPOCH


class RecordMetrics(Declaration):
    """Loss, accuracy, rate and speed; and those of the validation samples, which are then evaluated."""

    when: When = EVERY_EPOCH


class Record(Declaration):
    """What goes into the HDF5 file, and when. `none` in place of a part leaves it out."""

    weights: Annotated[RecordWeights | None, *_OrNone] = RecordWeights()
    signals: Annotated[RecordSignals | None, *_OrNone] = None
    angles: Annotated[RecordAngles | None, *_OrNone] = RecordAngles()
    metrics: Annotated[RecordMetrics | None, *_OrNone] = RecordMetrics()
    probe: int = Field(
        default=128, ge=1, description="Training samples in the fixed probe batch; all where there are fewer."
    )
