"""The loss of each sample by itself, in operations that every engine has: `loss` gives the mean of a batch alone."""

from ...circuits.wiring import Dense, Geometry, OneToOne
from .builder import ProgramBuilder, Ref


def loss_of_each(build: ProgramBuilder, x: Ref, code: Ref, loss: str) -> Ref:
    """One number a sample, whose mean is what `loss` gives. `x` as there, `code` the label as activity of its shape.

    cross_entropy: log sum exp(x) - code . x, for codes that sum to 1; binary_cross_entropy: sum of softplus(x) - code
    x; squared: sum of (x - code)^2 / 2.
    """
    overlap = build.scale(build.multiply(code, x), -1.0)
    if loss == "cross_entropy":
        return build.add(_log_sum_exp(build, x), sum_of_each(build, overlap))
    if loss == "binary_cross_entropy":
        return sum_of_each(build, build.add(build.transfer(x, "softplus"), overlap))
    apart = build.add(x, build.scale(code, -1.0))
    return sum_of_each(build, build.scale(build.power(apart, 2), 0.5))


def sum_of_each(build: ProgramBuilder, x: Ref) -> Ref:
    """The sum over all neurons of a population, one number a sample: what a single neuron hears that listens to all of
    them through synapses of strength 1."""
    wiring, lower = Dense(size=1), build[x].shape
    alone = Geometry(wiring, lower, (1,))
    strengths = build.correlate(build.ones(x, lower), build.ones(x, (1,)), alone)  # a mean of ones over the batch
    return build.project(x, strengths, Geometry(wiring, lower, ()))


def _log_sum_exp(build: ProgramBuilder, x: Ref) -> Ref:
    """log(sum_i exp(x_i)) of each sample, by rounds in which neurons meet in pairs: log(e^a + e^b) = b + softplus(a -
    b), which neither overflows nor cancels."""
    width = build[x].shape[0]
    while width > 1:
        half = width // 2
        one, other = _channels(build, x, 0, half), _channels(build, x, half, 2 * half)
        met = build.add(other, build.transfer(build.add(one, build.scale(other, -1.0)), "softplus"))
        if width % 2:
            met = build.add(
                _placed(build, met, 0, half + 1), _placed(build, _channels(build, x, width - 1, width), half, half + 1)
            )
        x, width = met, half + width % 2
    return sum_of_each(build, x)


def _channels(build: ProgramBuilder, x: Ref, start: int, stop: int) -> Ref:
    return build.project(x, None, Geometry(OneToOne(source=(start, stop)), build[x].shape, (stop - start,)))


def _placed(build: ProgramBuilder, x: Ref, first: int, width: int) -> Ref:
    """x at the channels from `first` on of a row of `width`, which is 0 elsewhere."""
    stop = first + build[x].shape[0]
    return build.project(x, None, Geometry(OneToOne(target=(first, stop)), build[x].shape, (width,)))
