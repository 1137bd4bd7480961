"""`counterstream analyze`: the angles at the end of a recorded run."""

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..analysis import Run


def analyze(
    recording: Annotated[Path, typer.Argument(metavar="RUN.h5", help="A recording, finished or still growing.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the same as JSON.")] = False,
) -> None:
    """Print how nearly feedback mirrors forward in each layer at the end of a run.

    \b
    Example:
      counterstream analyze runs/demo/kolen_pollack-seed0.h5
    """
    from ..analysis import Run, delta_angles, matrix_angles, summary

    with Run.open(recording) as run:
        figures = summary(run)
        matrix = _plain(matrix_angles(run, snapshots=[-1]))
        delta = _last(_plain(delta_angles(run)))
        if as_json:
            _print_json(figures, matrix, delta)
        else:
            _print_tables(run, figures, matrix, delta)


def _plain(frame: Any) -> list[dict[str, Any]]:
    """Rows of a frame as plain values, None in place of NaN."""
    return [
        {name: None if isinstance(value, float) and isnan(value) else value for name, value in row.items()}
        for row in frame.to_dict(orient="records")
    ]


def _last(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = max((row["snapshot"] for row in rows), default=None)
    return [row for row in rows if row["snapshot"] == last]


def _print_json(figures: dict[str, Any], matrix: list[dict[str, Any]], delta: list[dict[str, Any]]) -> None:
    import json

    print(json.dumps({"summary": figures, "matrix_angles": matrix, "delta_angles": delta}, indent=1))


def _print_tables(
    run: "Run", figures: dict[str, Any], matrix: list[dict[str, Any]], delta: list[dict[str, Any]]
) -> None:
    from .console import console
    from .report import angle, table_of

    screen = console()
    transport = "transports weights" if figures["transports_weights"] else "no weight transport"
    screen.print(
        f"{run.path}: {figures['learning']} ({transport}) in {figures['circuit_name']}, "
        f"seed {figures['seed']}, {figures['status']}; {figures['snapshots']} snapshots",
        soft_wrap=True,
    )
    if "test_accuracy" in figures:
        screen.print(f"test accuracy {figures['test_accuracy']:.2%}")
    if matrix:
        rows = [
            (
                row["projection"],
                angle(row["angle_degrees"]),
                _number(row["norm_ratio"]),
                _share(row["sign_agreement"]),
            )
            for row in matrix
        ]
        screen.print(table_of(("projection", "matrix angle", "|B| / |W|", "signs agree"), rows))
    if delta:
        signals = [(row["population"], angle(row["angle_degrees"])) for row in delta]
        screen.print(table_of(("population", "delta angle"), signals))
    if not matrix and not delta:
        screen.print("no projection has a recorded reverse, and no delta angles were recorded")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
