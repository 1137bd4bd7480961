"""Every operation, tried: a handful of values for each, with the edges at which engines go astray.

All cases are written into one program, so that an engine which compiles does so once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import product

import numpy as np

from ...circuits.rules.functions import FUNCTIONS
from ...circuits.transfers import TRANSFERS
from ...circuits.wiring import Conv, Dense, Flatten, Geometry, OneToOne, Pool, Shape
from ..strategies.geometries import geometry
from .candidate import REFERENCE, Array, Candidate
from .programs import Hand, Laid

Make = Callable[[Hand, np.random.Generator], list[int]]
ROW: Shape = (5,)
MAPS: Shape = (3, 4, 5)
LOSSES = ("cross_entropy", "binary_cross_entropy", "squared")

GEOMETRIES: dict[str, tuple[Geometry, ...]] = {
    "conv": (
        geometry(Conv(channels=4, kernel=(3, 3)), (2, 5, 6)),
        geometry(Conv(channels=4, kernel=(3, 2), stride=(2, 1), padding=(2, 1), dilation=(1, 2), groups=2), (2, 7, 6)),
        geometry(Conv(channels=6, kernel=(3, 3), groups=3), (3, 4, 4)),
        geometry(Conv(channels=3, kernel=(1, 1), stride=(2, 2)), (2, 5, 5)),
        geometry(Conv(channels=3, kernel=(3, 3), stride=(5, 5)), (2, 3, 4)),  # one position, which one tap sees
    ),
    "dense": (
        geometry(Dense(size=4), ROW),
        geometry(Dense(size=4), MAPS),
        geometry(Dense(), ROW, (2, 3, 2)),
        geometry(Dense(shared=True), MAPS, (2, 3, 2)),
        Geometry(Dense(), ROW, ()),  # onto one neuron
    ),
    "pool": (
        geometry(Pool(kind="max", size=(3, 3), stride=(2, 2), padding=(1, 1)), (2, 7, 6)),
        geometry(Pool(kind="max", size=(2, 2), stride=(2, 2), ceil=True), (2, 5, 5)),
        geometry(Pool(kind="max", size="global"), (2, 4, 5)),
        geometry(Pool(kind="average", size=(3, 3), stride=(2, 2), padding=(1, 1)), (2, 7, 6)),
        geometry(Pool(kind="average", size="global"), (2, 4, 5)),
        geometry(Pool(kind="average", to=(3, 4)), (2, 7, 5)),
        geometry(Pool(kind="average", to=(5, 2)), (2, 3, 4)),
    ),
    "one_to_one": (
        geometry(OneToOne(), MAPS),
        geometry(OneToOne(source=(1, 3)), ROW),
        geometry(OneToOne(source=(1, 3), target=(2, 4)), MAPS, (5, 4, 5)),
    ),
    "flatten": (geometry(Flatten(), MAPS), geometry(Flatten(), ROW)),
}


@dataclass(frozen=True)
class Case:
    """One operation, or one of the forms that it has."""

    operation: str
    form: str
    make: Make

    @property
    def name(self) -> str:
        return f"{self.operation}-{self.form}" if self.form else self.operation


# ---- from outside


def inputs(hand: Hand, random: np.random.Generator) -> list[int]:
    each = ((MAPS, True), (MAPS, False), ((), True), ((), False))
    return [
        hand.input(f"x{k}", random.normal(size=(3, *shape) if batched else shape), batched=batched)
        for k, (shape, batched) in enumerate(each)
    ]


def ones(hand: Hand, random: np.random.Generator) -> list[int]:
    label = hand.input("label", np.array([2, 0, 1]))
    maps = hand.input("maps", random.normal(size=(4, *MAPS)))
    return [hand.value("ones", label, shape=(1, 2, 2)), hand.value("ones", maps, shape=(2,))]


def one_hot(hand: Hand, random: np.random.Generator) -> list[int]:
    return [hand.value("one_hot", hand.input("label", np.array([2, 0, 1])), shape=(4,))]


# ---- wirings


def wired(operation: str, kind: str, hand: Hand, random: np.random.Generator) -> list[int]:
    """On every geometry of a kind, among them activities with equals, where maxima are taken."""
    found, own = [], hand.prefix
    for number, (laid, ties) in enumerate(product(GEOMETRIES[kind], (False, True) if kind == "pool" else (False,))):
        hand.prefix = f"{own}{number}/"
        case = Laid(laid, seed=number, ties=ties, hand=hand)
        if operation == "per_tap":
            found += [case.per_tap("mean"), case.per_tap("seen")]
        else:
            found.append(getattr(case, operation))
    return found


# ---- populations


def offset(hand: Hand, random: np.random.Generator) -> list[int]:
    found = []
    for number, (shape, batched) in enumerate(product((ROW, MAPS), (False, True))):
        x = hand.input(f"x{number}", random.normal(size=(4, *shape)))
        v = hand.input(f"v{number}", random.normal(size=(4, shape[0]) if batched else shape[:1]), batched=batched)
        found.append(hand.value("offset", x, v, shape=shape))
    return found


def _statistics(hand: Hand, random: np.random.Generator, shape: Shape) -> list[int]:
    """A soma, then gain, bias, mean and variance."""
    tag, channels = f"{len(shape)}", shape[:1]
    arrays = {name: random.normal(size=channels) for name in ("gain", "bias", "mean")}
    arrays["variance"] = random.uniform(0.5, 2, channels)
    soma = hand.input(f"soma{tag}", random.normal(1, 3, (4, *shape)))
    return [soma, *(hand.input(name + tag, array, batched=False) for name, array in arrays.items())]


def _normalize(hand: Hand, random: np.random.Generator, shape: Shape) -> tuple[list[int], list[int]]:
    read = _statistics(hand, random, shape)
    whole = hand.value("normalize", *read, shape=shape, epsilon=1e-5, momentum=0.1)
    return read, hand.parts(whole, shape, *[shape[:1]] * 4)


def normalize(hand: Hand, random: np.random.Generator) -> list[int]:
    return [part for shape in (ROW, MAPS) for part in _normalize(hand, random, shape)[1]]


def normalize_fixed(hand: Hand, random: np.random.Generator) -> list[int]:
    return [
        hand.value("normalize_fixed", *_statistics(hand, random, shape), shape=shape, epsilon=1e-5)
        for shape in (ROW, MAPS)
    ]


def standardize(hand: Hand, random: np.random.Generator) -> list[int]:
    found = []
    for shape in (ROW, MAPS):
        soma, _, _, mean, deviation = _statistics(hand, random, shape)
        found.append(hand.value("standardize", soma, mean, deviation, shape=shape))
    return found


def _normalize_back(hand: Hand, random: np.random.Generator, shape: Shape) -> list[int]:
    (soma, gain, *_), (_, mean, deviation, *_) = _normalize(hand, random, shape)
    gated = hand.input(f"gated{len(shape)}", random.normal(size=(4, *shape)))
    whole = hand.value("normalize_back", gated, soma, gain, mean, deviation, shape=shape)
    return hand.parts(whole, shape, shape[:1], shape[:1])


def normalize_back(hand: Hand, random: np.random.Generator) -> list[int]:
    return [part for shape in (ROW, MAPS) for part in _normalize_back(hand, random, shape)]


def one_part(hand: Hand, random: np.random.Generator) -> list[int]:
    """Some results of an operation alone, its others read by nobody."""
    return [_normalize(hand, random, ROW)[1][3], _normalize_back(hand, random, MAPS)[2]]


KINKS = (0.0, -3.0, 3.0, 6.0)
"""Where derivatives jump: each transfer function's convention is the reference's."""


def _activities(hand: Hand, random: np.random.Generator, shape: Shape) -> int:
    """Small, large and very large numbers, and the kinks exactly."""
    x = random.normal(size=(4, *shape)) * random.choice([1, 1, 10, 800], (4, *shape))
    x.flat[: len(KINKS)] = KINKS
    return hand.input(f"x{len(shape)}", x.astype(np.float32))


def transfer(function: str, hand: Hand, random: np.random.Generator) -> list[int]:
    return [
        hand.value("transfer", _activities(hand, random, shape), shape=shape, function=function)
        for shape in (ROW, MAPS)
    ]


def gate(function: str, hand: Hand, random: np.random.Generator) -> list[int]:
    found = []
    for shape in (ROW, MAPS):
        x = _activities(hand, random, shape)
        signal = hand.input(f"error{len(shape)}", random.normal(size=(4, *shape)))
        rate = hand.value("transfer", x, shape=shape, function=function)
        found.append(hand.value("gate", signal, x, rate, shape=shape, function=function))
    return found


# ---- outputs


def _output(hand: Hand, random: np.random.Generator) -> list[tuple[int, int]]:
    """(logits, target): classes and codes, for logits of ordinary size and for huge ones."""
    found = []
    for number, size in enumerate((1.0, 1e4)):
        x = hand.input(f"x{number}", (random.normal(size=(5, 4)) * size).astype(np.float32))
        classes = hand.input(f"classes{number}", random.integers(0, 4, 5))
        codes = hand.input(f"codes{number}", random.dirichlet(np.ones(4), 5))
        found += [(x, classes), (x, codes)]
    return found


def error(loss: str, hand: Hand, random: np.random.Generator) -> list[int]:
    return [hand.value("error", x, target, shape=(4,), loss=loss) for x, target in _output(hand, random)]


def loss_of(loss: str, hand: Hand, random: np.random.Generator) -> list[int]:
    return [hand.value("loss", *one, shape=(), batched=False, loss=loss) for one in _output(hand, random)]


def accuracy(hand: Hand, random: np.random.Generator) -> list[int]:
    equals = hand.input("equals", np.zeros((4, 3))), hand.input("first", np.array([0, 1, 2, 0]))
    return [hand.value("accuracy", *one, shape=(), batched=False) for one in (*_output(hand, random), equals)]


def batch_mean(positions: str, hand: Hand, random: np.random.Generator) -> list[int]:
    found = []
    for number, shape in enumerate(((), ROW, MAPS)):
        x = hand.input(f"x{number}", random.normal(size=(4, *shape)))
        left = shape if positions == "keep" else shape[:1]
        found.append(hand.value("batch_mean", x, shape=left, batched=False, positions=positions))
    return found


# ---- ranks, whole values


def samples(hand: Hand, random: np.random.Generator) -> list[int]:
    return [hand.value("samples", hand.input("x", random.normal(size=(7, 2))), shape=(), batched=False)]


def across(hand: Hand, random: np.random.Generator) -> list[int]:
    x = hand.input("x", random.normal(size=ROW), batched=False)
    return [hand.value("across", x, shape=ROW, batched=False)]


def _pairs(hand: Hand, random: np.random.Generator) -> list[tuple[int, int]]:
    """Values side by side, batched or not; one of them is 0."""
    shapes = ((ROW, True), (MAPS, True), (MAPS, False), ((), True))
    found = []
    for number, (shape, batched) in enumerate(shapes):
        a, b = random.normal(size=(2, *((4, *shape) if batched else shape)))
        found.append(tuple(hand.input(f"{name}{number}", x, batched=batched) for name, x in (("a", a), ("b", b))))
    nothing = hand.input("nothing", np.zeros((4, *ROW)))
    return [(a, b) for a, b in found] + [(nothing, found[0][0])]


def norm(hand: Hand, random: np.random.Generator) -> list[int]:
    return [hand.value("norm", a, shape=(), batched=False) for a, _ in _pairs(hand, random)]


def angle(hand: Hand, random: np.random.Generator) -> list[int]:
    return [hand.value("angle", a, b, shape=(), batched=False) for a, b in _pairs(hand, random)]


# ---- elementwise

SIDES = tuple(product((True, False), (True, False)))
"""What an operand can be beside another: of the result's shape or (), batched or not."""


def of_two(operation: str, hand: Hand, random: np.random.Generator) -> list[int]:
    """Scalars, one for all or one a sample, meet any shape, on either side."""
    found = []
    for number, (left, right) in enumerate(product(SIDES, SIDES)):
        operands = []
        for name, (own, batched) in (("a", left), ("b", right)):
            shape = MAPS if own else ()
            x = random.uniform(0.5, 2, (3, *shape) if batched else shape) * random.choice([-1, 1])
            operands.append(hand.input(f"{name}{number}", x, batched=batched))
        joint = MAPS if left[0] or right[0] else ()
        found.append(hand.value(operation, *operands, shape=joint, batched=left[1] or right[1]))
    return found


def _numbers(hand: Hand, random: np.random.Generator) -> list[tuple[int, Shape, bool]]:
    """(value, shape, whether batched)."""
    each = ((MAPS, True), (ROW, False), ((), False))
    drawn = [random.uniform(0.5, 2, (3, *shape) if batched else shape) for shape, batched in each]
    return [
        (hand.input(f"x{number}", x * random.choice([-1, 1]), batched=batched), shape, batched)
        for number, (x, (shape, batched)) in enumerate(zip(drawn, each, strict=True))
    ]


def of_one(
    operation: str, attribute: str, amounts: tuple[float, ...], hand: Hand, random: np.random.Generator
) -> list[int]:
    return [
        hand.value(operation, x, shape=shape, batched=batched, **{attribute: amount})
        for x, shape, batched in _numbers(hand, random)
        for amount in amounts
    ]


REACHES = {"sqrt": (0.0, 0.5, 3.0, 700.0), "exp": (-700.0, -1.5, 0.0, 0.25, 3.0, 80.0)}


def function(name: str, hand: Hand, random: np.random.Generator) -> list[int]:
    reach = REACHES.get(name, (-700.0, -1.5, 0.0, 0.25, 3.0, 700.0))
    return [hand.value("function", hand.input("x", np.array([reach])), shape=(len(reach),), name=name)]


def _of(make: Callable[..., list[int]], *names: str) -> dict[str, Make]:
    """One form for each name, which is handed to what makes it."""
    return {name: partial(make, name) for name in names}


_FORMS: dict[str, dict[str, Make]] = {
    "input": {"": inputs},
    "ones": {"": ones},
    "one_hot": {"": one_hot},
    "project": _of(partial(wired, "project"), *GEOMETRIES),
    "project_back": _of(partial(wired, "project_back"), *GEOMETRIES),
    "correlate": _of(partial(wired, "correlate"), "conv", "dense"),
    "per_tap": _of(partial(wired, "per_tap"), "conv", "dense"),
    "offset": {"": offset},
    "normalize": {"": normalize},
    "normalize_fixed": {"": normalize_fixed},
    "standardize": {"": standardize},
    "normalize_back": {"": normalize_back},
    "transfer": _of(transfer, *TRANSFERS),
    "gate": _of(gate, *(name for name, one in TRANSFERS.items() if one.gated)),
    "error": _of(error, *LOSSES),
    "loss": _of(loss_of, *LOSSES),
    "accuracy": {"": accuracy},
    "batch_mean": _of(batch_mean, "keep", "sum", "mean"),
    "samples": {"": samples},
    "across": {"": across},
    "norm": {"": norm},
    "angle": {"": angle},
    "add": {"": partial(of_two, "add")},
    "multiply": {"": partial(of_two, "multiply")},
    "divide": {"": partial(of_two, "divide")},
    "scale": {"": partial(of_one, "scale", "factor", (-2.5, 1.0))},
    "shift": {"": partial(of_one, "shift", "amount", (0.75, -1e-5))},
    "power": {"": partial(of_one, "power", "exponent", (3, 2, 0, -1, -2))},
    "function": _of(function, *(name for name in FUNCTIONS if name != "centre")),
    "part": {"": one_part},
}
"""By operation, in the order of the compiler's own table."""

CASES: dict[str, Case] = {
    case.name: case
    for case in (Case(operation, form, make) for operation, forms in _FORMS.items() for form, make in forms.items())
}


# ---- what engines make of them


@dataclass(frozen=True)
class Answers:
    """Results by the name of a case; of those that could not be had, the exception that says why."""

    found: dict[str, list[Array]]
    failed: dict[str, Exception]

    def of(self, case: str) -> list[Array]:
        """Raises what the engine raised."""
        if case in self.failed:
            raise self.failed[case]
        return self.found[case]


@cache
def answers(candidate: Candidate) -> Answers:
    """All cases in one program; or, where that fails, each by itself."""
    try:
        return Answers(_run(candidate, tuple(CASES)), {})
    except Exception:  # whatever an engine raises: each case will say for itself
        found: dict[str, list[Array]] = {}
        failed: dict[str, Exception] = {}
        for name in CASES:
            try:
                found |= _run(candidate, (name,))
            except Exception as error:
                failed[name] = error
        return Answers(found, failed)


def reference_answers() -> Answers:
    return answers(REFERENCE)


def _run(candidate: Candidate, names: tuple[str, ...]) -> dict[str, list[Array]]:
    hand, asked = Hand(), {}
    for name in names:
        hand.prefix = f"{name}/"
        seed = int.from_bytes(name.encode()) % 2**32
        asked[name] = CASES[name].make(hand, np.random.default_rng(seed))
    results = iter(hand.answer(candidate, *(index for indices in asked.values() for index in indices)))
    return {name: [next(results) for _ in indices] for name, indices in asked.items()}
