"""What must hold of an output: its loss beside its transfer function and its shape, and who carries its target."""

from collections.abc import Iterator, Mapping

from ..errors import Problem, suggest
from ..wiring import Shape
from .declared import Declared


def check_output(declared: Declared, name: str) -> Iterator[Problem]:
    """Why a population cannot have its loss, or its transfer function without one."""
    population, path = declared.populations[name], ("populations", name)
    if population.transfer == "softmax" and population.output_loss != "cross_entropy":
        yield declared.problem("softmax stands only at an output with loss cross_entropy", *path, "transfer")
    if population.loss == "binary_cross_entropy" and population.transfer != "sigmoid":
        yield declared.problem(
            f"binary_cross_entropy needs transfer sigmoid (got {population.transfer})", *path, "loss"
        )
    if population.loss == "cross_entropy" and population.transfer != "softmax":
        yield declared.problem(f"cross_entropy needs transfer softmax (got {population.transfer})", *path, "loss")
    if population.dropout and population.output_loss:
        yield declared.problem(
            f"an output with a loss takes no 'dropout' (got {population.dropout:g}): what is compared with the "
            "target must be there. Give it to the population before",
            *path,
            "dropout",
        )


def check_target(declared: Declared, name: str) -> Iterator[Problem]:
    """Why a population cannot carry the target that it says."""
    named = declared.populations[name].target_of
    if named is not None and not (named in declared.populations and declared.populations[named].output_loss):
        outputs = [other for other, population in declared.populations.items() if population.output_loss]
        yield declared.problem(
            f"a target must be that of an output, which has a loss (got '{named}'). "
            f"{suggest(named, outputs, 'outputs')}",
            *("populations", name, "target"),
        )


def check_classes(declared: Declared, shapes: Mapping[str, Shape]) -> Iterator[Problem]:
    """Outputs whose loss compares classes, and that have another shape than a row of them."""
    for name, population in declared.populations.items():
        if population.output_loss == "cross_entropy" and len(shapes.get(name, (1,))) != 1:
            yield declared.problem(
                f"an output with cross_entropy must be a row of classes (got {list(shapes[name])}): "
                "end with flatten or a dense projection",
                *("populations", name),
            )
