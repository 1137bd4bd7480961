"""What `demo` and `run` share: carrying an experiment out with a display, and reporting what it came to."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import console

if TYPE_CHECKING:
    from ..engine.training import Experiment


def changed(experiment: "Experiment", **changes: Any) -> "Experiment":
    """The experiment with the options of the command line in place of its own; None leaves a key as it is."""
    from ..circuits.validation import build
    from ..circuits.yamlfile import Document
    from ..engine.training import Experiment

    given = {name: getattr(experiment, name) for name in experiment.model_fields_set}
    given |= {name: value for name, value in changes.items() if value is not None}
    return build(Experiment, Document(given, "command line"))


def seeds_up_to(count: int | None) -> tuple[int, ...] | None:
    """`--seeds 3` as the seeds 0, 1, 2."""
    return None if count is None else tuple(range(count))


def names_in(text: str | None) -> tuple[str, ...] | None:
    """`a,b` as names."""
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def carry_out(experiment: "Experiment", folder: Path, *, overwrite: bool) -> list[Path]:
    """Train, write everything into `folder`, and print the table. What was finished is kept whatever happens."""
    from ..engine.training import Finished, Interrupted, OutputFolder, prepare, run_experiment
    from . import report
    from .display import Display
    from .loading import circuits_of

    prepared = prepare(experiment, circuits_of(experiment))
    output, finished = OutputFolder(folder, overwrite=overwrite), Finished()
    try:
        with Display() as display:
            run_experiment(prepared, output, progress=display, finished=finished)
    except Exception as error:
        status = "interrupted" if isinstance(error, Interrupted) else "failed"
        report.write(finished.paths, experiment, output, status)
        raise
    rows = report.write(finished.paths, experiment, output, "complete")
    screen = console()
    screen.print(report.table(rows))
    screen.print(_legend(experiment), soft_wrap=True)
    recordings = f"{len(finished.paths)} HDF5 recording{'s' if len(finished.paths) != 1 else ''}"
    screen.print(f"\nWritten to {folder}/: {recordings}, {report.SUMMARY}, {report.FIGURE}", soft_wrap=True)
    return finished.paths


def _legend(experiment: "Experiment") -> str:
    seeds = f"mean ± standard deviation over {len(experiment.seeds)} seeds" if len(experiment.seeds) > 1 else "one seed"
    return (
        f"Accuracy: {seeds}. Angles at the end of training, 0° where feedback mirrors forward:\n"
        "matrix angle between W and B, delta angle between a population's error signal and backprop's.\n"
        "Time: training steps alone, relative to backprop where it ran."
    )
