"""The random numbers of a simulator's steps: fresh at each step, the same in every process."""

from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuits.errors import suggest
from ..circuits.rules import NOISE
from .backends.base import Engine
from .batch import fitting
from .compiler.mode_programs import ModePrograms
from .compiler.noise import NoiseInput
from .errors import SimulationError
from .ranks import NOBODY, Share

PROBE = "<shadow>"
"""Where a mode's name stands in the key of noise that belongs to no step."""


class NoiseSource:
    """Draws what programs declare as noise, from (seed, mode, name, step).

    So the same step of the same simulator has the same noise wherever and whenever it is run, and a run that was
    resumed goes on as it would have. Engines draw alike for themselves, not like each other: to compare them, draw
    once and hand the arrays to both. The rows of noise are the samples of the step's batch, in its order: ranks that
    share a batch draw for all of it and keep their rows.
    """

    def __init__(self, engine: Engine[Any], seed: int) -> None:
        self.engine = engine
        self.seed = seed

    def draw(
        self, wanted: Iterable[NoiseInput], mode: str, step: int, *, share: Share = NOBODY, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Arrays by input name: those that are given, the others fresh. `share`: which samples of the step's batch."""
        return {
            noise.name: given[noise.name] if noise.name in given else self._fresh(noise, mode, step, share)
            for noise in wanted
        }

    def _fresh(self, noise: NoiseInput, mode: str, step: int, share: Share) -> Any:
        key = (self.seed, crc32(mode.encode()), crc32(noise.name.encode()), step)
        if not noise.batched:
            fresh = self.engine.noise(noise.distribution, noise.shape, key)
        else:
            maps = share.whole if noise.maps is None else noise.maps
            fresh = self.engine.noise(noise.distribution, (maps, *noise.shape), key)
            fresh = fresh[share.rows] if noise.maps is None and share.samples < share.whole else fresh
        return fresh if (noise.scale, noise.mean) == (1, 0) else self.engine.scaled(fresh, noise.scale, noise.mean)

    # ---- noise from outside

    def fired(self, mode: str, programs: ModePrograms, noise: Mapping[str, ArrayLike]) -> dict[str, Any]:
        """What users want a mode's projections to be fired at with, by input name."""
        given = {}
        for label, value in noise.items():
            wanted = _named(f"noise/{label}", programs, f"mode '{mode}' runs no projection '{label}'", "projections")
            given[wanted.name] = self.engine.array(fitting(value, wanted.name, wanted.shape, True))
        return given

    def of_step(
        self, mode: str, programs: ModePrograms, noise: Mapping[str, ArrayLike], samples: int
    ) -> dict[str, Any]:
        """What users put in the place of a step's noise, by input name: who transmits (1) and who drops out (0) of a
        population ("h"), what is injected into it ("h.noise"), how large the synapses of a projection are."""
        given = {}
        for name, value in noise.items():
            wanted = _drawn_for(name, mode, programs)
            array = fitting(value, wanted.name, wanted.shape, wanted.batched)
            if wanted.batched:
                array = _of_samples(wanted, array, samples)
            given[wanted.name] = self.engine.array(array)
        return given


def _named(name: str, programs: ModePrograms, complaint: str, what: str) -> NoiseInput:
    known = {wanted.name: wanted for wanted in programs.noise}
    if name not in known:
        kind = name.partition("/")[0]
        subjects = [other.partition("/")[2] for other in known if other.partition("/")[0] == kind]
        raise SimulationError(f"{complaint}. {suggest(name.partition('/')[2], subjects, what)}")
    return known[name]


def _drawn_for(name: str, mode: str, programs: ModePrograms) -> NoiseInput:
    """What a step of a mode with data draws for a population or a projection."""
    for wanted in programs.noise:
        if wanted.name == f"magnitude/{name}":
            return wanted
    population, _, compartment = name.rpartition(".")
    if compartment == NOISE:
        complaint = f"mode '{mode}' injects no noise into '{population}'"
        return _named(f"noise/{population}", programs, complaint, "populations with noise")
    return _named(f"dropout/{name}", programs, f"mode '{mode}' has no dropout at '{name}'", "populations with dropout")


def _of_samples(wanted: NoiseInput, array: Any, samples: int) -> Any:
    """The noise of a population's neurons; a mask as the noise that decides so."""
    kind, _, name = wanted.name.partition("/")
    word = "mask" if kind == "dropout" else "noise"
    if len(array) != samples:
        raise SimulationError(f"the {word} of '{name}' must hold {samples} samples, like the data (got {len(array)})")
    # Beyond either end of what uniform noise can be: whatever the dropout probability, it decides the same.
    return np.where(_mask(array, name), 2.0, -2.0) if kind == "dropout" else array


def _mask(value: Any, name: str) -> NDArray[np.bool_]:
    home = value.cpu() if hasattr(value, "cpu") else value  # a tensor may be on a device
    array: NDArray[Any] = np.asarray(home)
    wrong = array[(array != 0) & (array != 1)]
    if wrong.size:
        raise SimulationError(f"a mask holds 1 where a neuron of '{name}' transmits, else 0 (got {wrong[0]})")
    return array.astype(np.bool_)
