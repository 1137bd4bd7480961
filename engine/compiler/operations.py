"""Every operation of the program, in one sentence each. An engine author implements these and nothing else.

Notation: x[n, c, i] is sample n, channel c, position i of a batched value (dense populations have no
positions). N is the size of the batch. A value of shape () meets any shape in the elementwise operations.
Geometry: `circuits.wiring.Geometry`, with `lower` (where a forward projection starts) and `upper` (where it
ends).
"""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation's contract: what it reads (in order), its attributes, its meaning, how many results."""

    inputs: str
    attributes: str
    meaning: str
    results: int = 1


_TABLE = {
    # ---- what comes from outside
    "input": Operation(
        "",
        "name, role (data | label | state | noise | hyper), dtype (float | int)",
        "A named array that the caller supplies.",
    ),
    "ones": Operation("like", "", "Ones of the value's shape with the batch size of `like`."),
    "one_hot": Operation("label", "", "label[n] (int) as a row of zeros with a one; shape (classes,)."),
    # ---- wirings
    "project": Operation(
        "pre [weight]",
        "geometry",
        "The current that the lower activity causes in the upper population: W y for dense, "
        "cross-correlation with zero padding for conv, window maximum or average for pool, copies for "
        "one-to-one and flatten. An upper population of shape () is one neuron.",
    ),
    "project_back": Operation(
        "upper [weight] [lower]",
        "geometry",
        "The adjoint of `project` in its lower argument, applied to an upper signal: W^T delta; a max "
        "pool also reads the lower activity and sends to the first maximum in row-major order.",
    ),
    "correlate": Operation(
        "lower upper",
        "geometry",
        "(1/N) sum over samples and positions of lower times upper, in the weight's shape: the adjoint of "
        "`project` in its weight; synapses onto padding do not exist.",
    ),
    "per_tap": Operation(
        "x",
        "geometry, kind (mean | seen)",
        "In weight shape: `mean` divides each tap by the number of positions that see it, `seen` "
        "multiplies by 1; both give 0 to taps that no position sees.",
    ),
    # ---- populations
    "offset": Operation("x v", "", "x[n, c, i] + v[c]; v of shape (channels,), batched or not."),
    "normalize": Operation(
        "soma gain bias running_mean running_variance",
        "epsilon, momentum",
        "Batch normalization over samples and positions: (gain * xhat + bias, mean, 1/sqrt(biased "
        "variance + epsilon), new running mean, new running variance); running values move by `momentum`, "
        "the variance's towards the unbiased one, which needs two values a channel.",
        results=5,
    ),
    "normalize_fixed": Operation(
        "soma gain bias mean variance",
        "epsilon",
        "gain * (soma - mean) / sqrt(variance + epsilon) + bias, with given statistics.",
    ),
    "standardize": Operation(
        "soma mean deviation",
        "",
        "xhat = (soma - mean) * deviation, deviation = 1/sqrt(variance + epsilon).",
    ),
    "normalize_back": Operation(
        "gated soma gain mean deviation",
        "",
        "The adjoint of `normalize`: (error at the soma, (1/N) sum over samples and positions of gated * "
        "xhat, (1/N) sum of gated).",
        results=3,
    ),
    "transfer": Operation("x", "function", "phi(x), elementwise (softmax: over the channels)."),
    "gate": Operation(
        "error x rate",
        "function",
        "phi'(x) * error, with rate = phi(x); relu'(0) = 0; softmax has none.",
    ),
    "error": Operation(
        "x label",
        "loss",
        "cross_entropy: softmax(x) - label's code; binary_cross_entropy: sigmoid(x) - label; squared: x - "
        "label. Unscaled by N. A class label (int, shape ()) is read as its code; codes of cross_entropy "
        "sum to 1.",
    ),
    "loss": Operation(
        "x label",
        "loss",
        "Mean over samples of: -log softmax(x)[label], or sum of -code * log softmax(x); sum of binary "
        "cross-entropies with logits x; half the squared distance |x - label|^2. A scalar.",
    ),
    "accuracy": Operation(
        "x label",
        "",
        "The share of samples whose largest x (the first of equals) stands at the label. A scalar.",
    ),
    "batch_mean": Operation(
        "x",
        "positions (keep | sum | mean)",
        "(1/N) sum over samples; positions kept, summed, or averaged, which leaves (channels,).",
    ),
    # ---- ranks that share a model
    "samples": Operation("like", "", "The number of samples of `like`, on this rank. A scalar."),
    "across": Operation(
        "x",
        "",
        "The sum of x, which has no batch axis, over all ranks that share the model; x itself where there is one.",
    ),
    # ---- whole values
    "norm": Operation(
        "x",
        "",
        "|x|, the root of the summed squares of all numbers in x, those of all samples included. A scalar.",
    ),
    "angle": Operation(
        "a b",
        "",
        "Degrees between a and b as vectors, all samples included: 2 atan2(|u - v|, |u + v|) of the unit vectors u = "
        "a/|a| and v = b/|b|; NaN where |a| or |b| is 0. A scalar.",
    ),
    # ---- elementwise
    "add": Operation("a b", "", "a + b."),
    "multiply": Operation("a b", "", "a * b."),
    "divide": Operation("a b", "", "a / b."),
    "scale": Operation("a", "factor", "factor * a."),
    "shift": Operation("a", "amount", "a + amount."),
    "power": Operation("a", "exponent", "a ** exponent, an integer of any sign."),
    "function": Operation(
        "a",
        "name",
        "One function of the rules' closed table, elementwise: relu sign abs exp tanh sigmoid step sqrt; "
        "step(x) = 1 where x > 0, else 0.",
    ),
    "part": Operation("x", "index", "Result number `index` of an operation with several."),
}

OPERATIONS = MappingProxyType(_TABLE)
