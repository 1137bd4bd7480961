"""Batch normalization over the batch of all ranks, in operations that each do one thing.

`normalize` and `normalize_back` see one rank's samples only. Here every mean over the batch is taken over all ranks
(`over_ranks`), in the forward pass and on the way back.
"""

from .builder import ProgramBuilder, Ref


def normalize_together(
    build: ProgramBuilder, soma: Ref, gain: Ref, bias: Ref, mean: Ref, variance: Ref, *, epsilon: float, momentum: float
) -> tuple[Ref, Ref, Ref, Ref, Ref]:
    """What `normalize` gives, of the whole batch: (gain * xhat + bias, mean, deviation, new running mean and variance).

    The variance is the mean of squared distances from the mean of all: exact where the mean of squares less the square
    of the mean loses its digits.
    """
    own_mean = build.over_ranks(build.batch_mean(soma, "mean"), soma)
    centred = build.offset(soma, build.scale(own_mean, -1.0))
    biased = build.over_ranks(build.batch_mean(build.power(centred, 2), "mean"), soma)
    deviation = build.power(build.function(build.shift(biased, epsilon), "sqrt"), -1)
    answer = build.normalize_fixed(soma, gain, bias, own_mean, biased, epsilon=epsilon)
    counted = build.scale(build.samples_of_all(soma), float(build.positions(soma)))
    unbiased = build.multiply(biased, build.divide(counted, build.shift(counted, -1.0)))
    new_mean = build.add(build.scale(mean, 1 - momentum), build.scale(own_mean, momentum))
    new_variance = build.add(build.scale(variance, 1 - momentum), build.scale(unbiased, momentum))
    return answer, own_mean, deviation, new_mean, new_variance


def normalize_back_together(
    build: ProgramBuilder, gated: Ref, soma: Ref, gain: Ref, mean: Ref, deviation: Ref
) -> tuple[Ref, Ref, Ref]:
    """What `normalize_back` gives, of the whole batch: (error at the soma, mean of summed gated * xhat, of gated).

    error = gain deviation (gated - level - xhat along), level and along being means over samples and positions.
    """
    drive = build.standardize(soma, mean, deviation)
    by_drive = build.over_ranks(build.batch_mean(build.multiply(gated, drive), "sum"), soma)
    alone = build.over_ranks(build.batch_mean(gated, "sum"), soma)
    share = 1 / build.positions(soma)
    along = build.standardize(soma, mean, build.multiply(deviation, build.scale(by_drive, share)))
    rest = build.add(gated, build.scale(along, -1.0))
    error = build.standardize(rest, build.scale(alone, share), build.multiply(gain, deviation))
    return error, by_drive, alone
