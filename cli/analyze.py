"""`counterstream analyze`: what recorded runs came to, as tables on the screen, JSON, CSV and figures."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pandas import DataFrame

    from ..analysis import Run

ENDINGS = (".png", ".pdf")
STDOUT = "-"


def analyze(
    recordings: Annotated[
        list[Path], typer.Argument(metavar="RUN.h5...", help="Recordings, finished or still growing.")
    ],
    names: Annotated[
        list[str] | None, typer.Option("--table", metavar="NAME", help="This table alone; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    csv: Annotated[
        str | None, typer.Option("--csv", metavar="FOLDER", help="Write tables as CSV files there; - prints one.")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", metavar="FOLDER", help="Draw figures there, as PNG and PDF.")
    ] = None,
) -> None:
    """Print how nearly feedback mirrors forward at the end of a run; of several runs, how they compare.

    Tables: matrix_angles, recorded_matrix_angles, delta_angles, local_angles, sign_agreement, weight_changes,
    singular_spectra, subspace_overlap, kolen_pollack, weight_mirror, metrics. docs/analysis.md says what is in them.

    \b
    Examples:
      counterstream analyze runs/demo/kolen_pollack-seed0.h5
      counterstream analyze runs/demo/*.h5 --csv tables --figures figures
      counterstream analyze runs/demo/kolen_pollack-*.h5 --table kolen_pollack --csv -
    """
    from ..analysis import Run
    from ..analysis.grouping import distinct

    chosen = _known(names)
    if csv == STDOUT and len(chosen) != 1:
        raise typer.BadParameter("--csv - prints one table: name it with --table", param_hint="--csv")
    if csv == STDOUT and as_json:
        raise typer.BadParameter("both --csv - and --json print to stdout: choose one", param_hint="--csv")
    for folder in (figures, None if csv in (None, STDOUT) else Path(str(csv))):
        if folder is not None:
            with _writing(folder):
                folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        opened = [stack.enter_context(Run.open(path)) for path in recordings]
        runs = distinct(opened)
        if len(runs) < len(opened):
            _say(f"{len(opened)} files were named, {len(runs)} of them different: each counts once")
        if csv == STDOUT:
            print(_printable(_table(chosen[0], runs)).to_csv(index=False), end="")
        elif as_json:
            _print_json(runs, chosen)
        elif chosen:
            _print_chosen(runs, chosen)
        elif len(runs) == 1:
            _print_run(runs[0])
        else:
            _print_comparison(runs)
        if csv not in (None, STDOUT):
            _write_csv(Path(str(csv)), runs, chosen)
        if figures is not None:
            _draw(figures, runs)


def _known(names: Sequence[str] | None) -> list[str]:
    from ..analysis import TABLES
    from ..circuits.errors import suggest

    for name in names or ():
        if name not in TABLES:
            raise typer.BadParameter(f"table {name!r}: {suggest(name, list(TABLES))}", param_hint="--table")
    return list(names or ())


def _table(name: str, runs: "Sequence[Run]") -> "DataFrame":
    from ..analysis import table

    return table(name, runs)


def _print_json(runs: "Sequence[Run]", chosen: Sequence[str]) -> None:
    import json

    from ..analysis import by_system, comparison, differences, summary

    content: dict[str, Any]
    if chosen:
        content = {name: _plain(_table(name, runs)) for name in chosen}
    elif len(runs) == 1:
        content = {"summary": summary(runs[0])} | {name: _plain(_last(t)) for name, t in _final(runs[0]).items()}
    else:
        grouped = by_system(runs)
        compared = comparison(grouped)
        content = {
            "interval": compared.attrs,
            "comparison": _plain(compared),
            "differences": _plain(differences(grouped)),
            "runs": [summary(run) for run in runs],
        }
    print(json.dumps(_finite(content), indent=1, allow_nan=False))


def _print_chosen(runs: "Sequence[Run]", chosen: Sequence[str]) -> None:
    from .console import console
    from .report import table_of

    screen = console()
    for name in chosen:
        frame = _table(name, runs)
        if len(runs) == 1:
            frame = frame.drop(columns=["run", "learning", "seed"])
        rows = [[_shown(value) for value in row.values()] for row in _plain(frame)]
        screen.print(table_of([_shown(column) for column in frame.columns], rows), soft_wrap=True)


def _print_run(run: "Run") -> None:
    from ..analysis import summary
    from .console import console
    from .report import angle, table_of

    screen, figures = console(), summary(run)
    transport = "transports weights" if figures["transports_weights"] else "no weight transport"
    screen.print(
        _escaped(
            f"{run.path}: {figures['learning']} ({transport}) in {figures['circuit_name']}, "
            f"seed {figures['seed']}, {figures['status']}; {figures['snapshots']} snapshots"
        ),
        soft_wrap=True,
    )
    if "test_accuracy" in figures:
        screen.print(f"test accuracy {figures['test_accuracy']:.2%}")
    final = {name: _plain(_last(frame)) for name, frame in _final(run).items()}
    signs = {row["projection"]: row["sign_agreement"] for row in final["sign_agreement"]}
    if final["matrix_angles"]:
        rows = [
            (
                _escaped(row["projection"]),
                angle(row["angle_degrees"]),
                _number(row["norm_ratio"]),
                _share(signs.get(row["projection"])),
            )
            for row in final["matrix_angles"]
        ]
        screen.print(table_of(("projection", "matrix angle", "|B| / |W|", "signs agree"), rows))
    if final["delta_angles"]:
        local = {row["population"]: row["angle_degrees"] for row in final["local_angles"]}
        signals = [
            (_escaped(row["population"]), angle(row["angle_degrees"]), angle(local.get(row["population"])))
            for row in final["delta_angles"]
        ]
        screen.print(table_of(("population", "delta angle", "local angle"), signals))
    if not final["matrix_angles"] and not final["delta_angles"]:
        screen.print("no projection has a recorded reverse, and no delta angles were recorded")


def _print_comparison(runs: "Sequence[Run]") -> None:
    from ..analysis import by_system, comparison, differences
    from ..analysis.grouping import left_out
    from .console import console
    from .report import table_of

    screen, grouped = console(), by_system(runs)
    compared, apart = comparison(grouped), differences(grouped)
    rows = [
        (
            _escaped(r["system"]),
            _escaped(r["quantity"]),
            str(r["runs"]),
            _shown(r["mean"]),
            _shown(r["spread"]),
            _range(r),
        )
        for r in _plain(compared)
    ]
    screen.print(table_of(("system", "quantity", "runs", "mean", "spread", "95 % interval"), rows))
    if len(apart):
        pairs = [
            (
                _escaped(r["system"]),
                _escaped(r["baseline"]),
                _escaped(r["quantity"]),
                "yes" if r["paired"] else "no",
                str(r["runs"]),
                _shown(r["difference"]),
                _range(r),
            )
            for r in _plain(apart)
        ]
        headings = ("system", "baseline", "quantity", "paired", "runs", "less baseline", "95 % interval")
        screen.print(table_of(headings, pairs))
    for run in (run for members in grouped.values() for run in left_out(members)):
        screen.print(_escaped(f"{run.path}: {run.attributes['status']}; left out of the means"), soft_wrap=True)
    told = compared.attrs
    screen.print(
        f"Spread: sample standard deviation over runs. Interval: {told['method']}, {told['resamples']} resamples, "
        f"seed {told['seed']}; it needs two runs, and of few runs it is too narrow (docs/analysis.md).",
        soft_wrap=True,
    )


def _write_csv(folder: Path, runs: "Sequence[Run]", chosen: Sequence[str]) -> None:
    from ..analysis import TABLES, by_system, comparison, differences

    frames = {name: _table(name, runs) for name in chosen or TABLES}
    if not chosen and len(runs) > 1:
        grouped = by_system(runs)
        frames |= {"comparison": comparison(grouped), "differences": differences(grouped)}
    with _writing(folder):
        for name, frame in frames.items():
            _printable(frame).to_csv(folder / f"{name}.csv", index=False)
    _say(f"{len(frames)} tables in {folder}/")


def _draw(folder: Path, runs: "Sequence[Run]") -> None:
    from ..analysis import angles_over_training, by_system, depth_profiles, error_over_training, spectra_of_layers
    from ..analysis.grouping import counting

    grouped, count = by_system(runs), 0
    with _writing(folder):
        for ending in ENDINGS:
            for draw in (angles_over_training, error_over_training, depth_profiles):
                draw(grouped, folder / f"{draw.__name__}{ending}")
                count += 1
            for system, members in grouped.items():
                first = counting(members)[0]
                if first.synapses:
                    spectra_of_layers(first, folder / f"spectra-{_file_name(system)}{ending}")
                    count += 1
    _say(f"{count} figures in {folder}/")


def _final(run: "Run") -> "dict[str, DataFrame]":
    """The tables of a run's end; matrix angles as the device measured them where no pair of weights is recorded."""
    from ..analysis import delta_angles, local_angles, matrix_angles, sign_agreement

    matrix = matrix_angles(run, snapshots=[-1])
    return {
        "matrix_angles": matrix_angles(run, source="recorded") if matrix.empty else matrix,
        "sign_agreement": sign_agreement(run, snapshots=[-1]),
        "delta_angles": delta_angles(run),
        "local_angles": local_angles(run),
    }


def _last(frame: "DataFrame") -> "DataFrame":
    return frame[frame["step"] == frame["step"].max()]


def _plain(frame: "DataFrame") -> list[dict[str, Any]]:
    """Rows of a frame as plain values, None in place of what is not finite."""
    return [_finite({str(name): value for name, value in row.items()}) for row in frame.to_dict(orient="records")]


def _finite(value: Any) -> Any:
    """The same, with None in place of numbers that are not finite: JSON has none."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _printable(frame: "DataFrame") -> "DataFrame":
    """The frame with texts and names of columns escaped."""
    return frame.map(lambda value: _escaped(value) if isinstance(value, str) else value).rename(columns=_escaped)


def _escaped(text: object) -> str:
    """A recorded text as a terminal may have it."""
    from ..analysis.printable import printable

    return printable(text)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """An error of the file system is one that the user can mend."""
    from ..circuits.errors import CounterstreamError

    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise CounterstreamError(
            f"{place}: cannot be written ({error.strerror or error}). Choose another folder"
        ) from None


def _file_name(system: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "_.-" else "_" for letter in system)


def _say(line: str) -> None:
    from .console import console

    console(stderr=True).print(line, soft_wrap=True)


def _range(row: dict[str, Any]) -> str:
    return "-" if row["low"] is None else f"{_shown(row['low'])} to {_shown(row['high'])}"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else _escaped(value)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
