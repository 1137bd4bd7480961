"""What must hold of a population: its name, its kind, its transfer function."""

from collections.abc import Iterator

from .. import names
from ..declarations import Population
from ..errors import Problem, suggest
from ..transfers import TRANSFERS
from ..yamlfile import Path_
from .declared import Declared
from .outputs import check_output, check_target
from .partners import check_partner


def check_populations(declared: Declared) -> Iterator[Problem]:
    """What is wrong with populations, by themselves and as outputs and partners."""
    if not declared.populations:
        yield declared.problem("a circuit must have at least one population", "populations")
    for name, population in declared.populations.items():
        path = ("populations", name)
        yield from _check_name(declared, name, path)
        yield from _check_kind(declared, population, path)
        yield from check_target(declared, name)
        yield from check_output(declared, name)
        if population.gain and not population.normalizes:
            yield declared.problem("gains belong to populations that normalize", *path, "gain")
        if population.transfer not in TRANSFERS:
            hint = suggest(population.transfer, TRANSFERS, "transfer functions")
            yield declared.problem(f"unknown transfer function '{population.transfer}'. {hint}", *path, "transfer")
        yield from check_partner(declared, name)


def _check_name(declared: Declared, name: str, path: Path_) -> Iterator[Problem]:
    if wrong := names.complaint(name):
        yield declared.problem(wrong, *path)
    elif name.endswith(names.PARTNER) and not declared.populations[name].is_feedback:
        yield declared.problem(f"a name that ends with '{names.PARTNER}' belongs to a feedback population", *path)


def _check_kind(declared: Declared, population: Population, path: Path_) -> Iterator[Problem]:
    kinds = [kind for kind in ("input", "target", "partner") if getattr(population, kind) is not None]
    if len(kinds) > 1:
        message = f"a population is one of input, target, feedback partner (got {' and '.join(kinds)})"
        yield declared.problem(message, *path)
    elif kinds:
        shaped = ("shape",) if kinds[0] != "partner" else ()
        own = population.model_fields_set & {*shaped, "normalize", "transfer", "gain", "bias", "dropout", "loss"}
        what = "an input carries data as they are" if kinds[0] != "partner" else "its partner decides"
        for key in sorted(own):
            yield declared.problem(f"a population with '{kinds[0]}' takes no '{key}': {what}", *path, key)
