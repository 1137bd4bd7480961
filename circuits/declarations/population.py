"""Populations: neurons of one kind and shape."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from ..model import Declaration, Number, Truth, Whole
from ..tagged import Choice
from ..wiring import MAXIMAL_NEURONS
from .rule import Rule
from .sign import Sign

Side = Annotated[Whole, Field(ge=1, le=MAXIMAL_NEURONS)]


def _shape(value: object) -> object:
    """One number stands for a row of neurons."""
    listed = (value,) if isinstance(value, int) else value
    if not isinstance(listed, list | tuple) or len(listed) not in (1, 3):
        raise ValueError(f"a shape is a number of neurons, or [channels, height, width] (got {value!r})")
    return listed


ShapeField = Annotated[
    tuple[Side, ...],
    BeforeValidator(_shape),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}),
]


def _target_form(value: object) -> str | None:
    return "#output" if isinstance(value, str) else "#classes" if isinstance(value, int) else None


TargetField = Annotated[
    Annotated[Side, Tag("#classes")] | Annotated[str, Tag("#output")],
    Discriminator(
        _target_form,
        custom_error_type="form",
        custom_error_message="must be a number of classes, or the name of an output",
    ),
]
Loss = Literal["cross_entropy", "squared", "binary_cross_entropy"]


class BatchNormalization(Declaration):
    """Normalization over batch and positions by the biased variance (Ioffe and Szegedy 2015, algorithm 1).

    Running statistics keep the unbiased variance and move by `momentum` a step.
    """

    kind: ClassVar[str] = "batch"
    epsilon: Number = Field(default=1e-5, gt=0)
    momentum: Number = Field(default=0.1, gt=0, le=1)


class NoNormalization(Declaration):
    """The soma goes to the transfer function as it is."""

    kind: ClassVar[str] = "none"


Normalization = Annotated[BatchNormalization | NoNormalization, Choice()]


class IntrinsicRules(Declaration):
    """Rules of a population's gains and biases in one mode. They may read own compartments and `partner.*`."""

    gain: Rule | None = None
    bias: Rule | None = None


class Population(Declaration):
    """Neurons of one kind and shape: rate = phi(gain * normalize(soma) + bias), with `dropout` of some of them.

    With `input` it stands for data, with `target` for a label's code as activity, with `partner` it is a feedback
    population. `shape` may be left out wherever it follows from what projects here.
    """

    input: ShapeField | None = Field(default=None, description="Shape of the data it carries: [features] or [C, H, W].")
    target: TargetField | None = Field(
        default=None,
        description="The population carries the code of a label: of its own, over so many classes, or, with the name "
        "of an output, of that output's target.",
    )
    partner: str | None = Field(default=None, description="The forward partner; makes this a feedback population.")
    shape: ShapeField | None = None
    normalize: Normalization = NoNormalization()
    transfer: str = "linear"
    gain: Truth | None = Field(
        default=None,
        description="Whether gains learn. Default: where it normalizes. There, 'false' leaves them at initial_gain.",
    )
    bias: Truth | None = Field(
        default=None,
        description="Whether biases learn. Default: where it normalizes, or has weighted inputs and a nonlinear "
        "transfer or a loss. Where it normalizes, 'false' leaves them at initial_bias; elsewhere there are none then.",
    )
    initial_gain: Number = 1.0
    initial_bias: Number = 0.0
    dropout: Number = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Probability that a neuron transmits nothing, for each sample anew; the others transmit "
        "1 / (1 - dropout) times their rate. Only while data flow and learn, not in predictions.",
    )
    sign: Sign | None = Field(
        default=None,
        description="Dale's law: the sign of all synapses that leave the population. They start with it and keep it.",
    )
    loss: Loss | None = Field(default=None, description="Makes it an output. Default for softmax: cross_entropy.")
    rules: dict[str, IntrinsicRules] = Field(default_factory=dict, description="By mode; explicit form and overrides.")
    parameters: dict[str, Number] = Field(
        default_factory=dict, description="Parameters of the rules, for this population."
    )

    @property
    def target_of(self) -> str | None:
        """The output whose target it carries."""
        return self.target if isinstance(self.target, str) else None

    @property
    def is_feedback(self) -> bool:
        return self.partner is not None

    @property
    def is_source(self) -> bool:
        """True where activity comes from outside: data or a label's code."""
        return self.input is not None or self.target is not None

    @property
    def normalizes(self) -> bool:
        return isinstance(self.normalize, BatchNormalization)

    @property
    def output_loss(self) -> Loss | None:
        """The loss of an output population: the declared one, or cross-entropy for softmax."""
        return self.loss or ("cross_entropy" if self.transfer == "softmax" else None)
