"""What an experiment came to: a table on the screen, summary.json and a figure, all from the recordings on disk."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from ..engine.training import Experiment, OutputFolder, RunFigures, SystemFigures

SUMMARY = "summary.json"
FIGURE = "angles.png"


def figures(paths: Sequence[Path]) -> "list[RunFigures]":
    """The figures of finished runs, read from their HDF5 files."""
    from ..analysis import Run, summary
    from ..engine.training import RunFigures

    found = []
    for path in paths:
        with Run.open(path) as run:
            found.append(RunFigures.of(summary(run), path.name))
    return found


def write(
    paths: Sequence[Path], experiment: "Experiment", output: "OutputFolder", status: str
) -> "list[SystemFigures]":
    """Write summary.json and, if there is a run, the figure; return one row for each learning system."""
    from ..engine.training import by_system, summary

    runs = figures(paths)
    settings = experiment.model_dump(mode="json", by_alias=True, exclude_unset=True)
    content = summary(experiment.name, runs, status=status, experiment=settings)
    output.write(SUMMARY, json.dumps(content, indent=1, allow_nan=False) + "\n")
    if runs:
        _draw(paths, output.file(FIGURE))
    return by_system(runs)


def _draw(paths: Sequence[Path], figure: Path) -> None:
    from ..analysis import Run, angles_over_training

    runs = [Run.open(path) for path in paths]
    try:
        grouped: dict[str, list[Run]] = {}
        for run in runs:
            grouped.setdefault(run.attributes["learning"], []).append(run)
        angles_over_training(grouped, figure)
    finally:
        for run in runs:
            run.close()


def table(rows: "Sequence[SystemFigures]") -> "Table":
    """One line for each system. Angles in degrees; accuracies as mean and sample standard deviation over seeds."""
    validated = any(row.validation_accuracy is not None for row in rows)
    many_classes = any(row.test_top5_accuracy is not None for row in rows)
    headings = (
        "learning system",
        "transports\nweights",
        *(("validation\naccuracy %",) if validated else ()),
        "test\naccuracy %",
        *(("test\ntop-5 %",) if many_classes else ()),
        "matrix angle\nmedian",
        "\nlargest",
        "delta angle\nmedian",
        "time per\nstep",
    )
    return table_of(headings, [_row(row, validated, many_classes) for row in rows])


def _row(row: "SystemFigures", validated: bool, many_classes: bool) -> tuple[str, ...]:
    validation = (accuracy(row.validation_accuracy, row.validation_accuracy_spread),) if validated else ()
    return (
        row.system,
        "yes" if row.transports_weights else "no",
        *validation,
        accuracy(row.test_accuracy, row.test_accuracy_spread),
        *((accuracy(row.test_top5_accuracy, None),) if many_classes else ()),
        angle(row.median_matrix_angle),
        angle(row.largest_matrix_angle),
        angle(row.median_delta_angle),
        f"{row.relative_time:.2f}x" if row.relative_time is not None else f"{row.seconds_per_step * 1000:.1f} ms",
    )


def table_of(headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: bool = False) -> "Table":
    """A table in the house's style: the first column to the left, the others, if numbers, to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    result = Table(box=SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(headings):
        result.add_column(heading, justify="right" if number and not left else "left", overflow="fold")
    for row in rows:
        result.add_row(*row)
    return result


def accuracy(mean: float | None, spread: float | None) -> str:
    """An accuracy in percent, with its spread where there is one; a dash where there is no accuracy."""
    if mean is None:
        return "-"
    return f"{mean * 100:.1f}" + (f" ± {spread * 100:.1f}" if spread is not None else "")


def angle(degrees: float | None) -> str:
    """An angle, or a dash where there is none."""
    return "-" if degrees is None else f"{degrees:.1f}°"
