"""What `demo` and `run` share: carrying an experiment out with a display, and reporting what it came to."""

import math
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..circuits.errors import CounterstreamError
from .console import console
from .glance import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..engine.data.source import DataSource
    from ..engine.training import Experiment, Outcome, OutputFolder, Prepared
    from ..engine.training.experiment import ModePlan

PACKED = "packed"
PLACES = ("folder", "file", PACKED)  # the keys of a data source that say where it lies


def changed(experiment: "Experiment", **changes: Any) -> "Experiment":
    """The experiment with the options of the command line in place of its own; None leaves a key as it is."""
    from ..circuits.validation import build
    from ..circuits.yamlfile import Document, Path_
    from ..engine.training import Experiment

    given = {name: getattr(experiment, name) for name in experiment.model_fields_set}
    absent = {name for name, value in given.items() if value is None}
    given |= experiment.model_dump(mode="json", include=absent)  # as they are written: `none`, where nothing is refused
    given |= {name: value for name, value in changes.items() if value is not None}
    document, place = experiment.document, "command line"
    kept = [name for name in given if changes.get(name) is None] if document else []
    origins: dict[Path_, tuple[Document, Path_]] = {(name,): (document, (name,)) for name in kept if document}
    return build(Experiment, Document(given, place)).written(Document(given, place, origins=origins))


def seeds_up_to(count: int | None) -> tuple[int, ...] | None:
    """`--seeds 3` as the seeds 0, 1, 2."""
    return None if count is None else tuple(range(count))


def names_in(text: str | None) -> tuple[str, ...] | None:
    """`a,b` as names. Raises CounterstreamError where an option was given and names nothing."""
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise CounterstreamError(f"learning systems: must name at least one (got {text!r}). See: counterstream list")
    return names


def source_at(experiment: "Experiment", place: Path) -> "DataSource":
    """The experiment's data, to be found at `place`, which may be a packed file of them.

    Raises CounterstreamError where they lie nowhere.
    """
    keys = [key for key in PLACES if key in type(experiment.data).model_fields]
    if not keys:
        raise CounterstreamError(
            f"--data: {experiment.name} must be trained on data that lie somewhere (got {experiment.data.kind}, which "
            "come with the package). Leave it out, or name other data in the experiment"
        )
    meant = PACKED if PACKED in keys and place.is_file() else keys[0]
    places: dict[str, str | None] = dict.fromkeys(keys) | {meant: str(place.absolute())}
    return experiment.data.model_copy(update=places)


def modes_in_use(experiment: "Experiment", systems: tuple[str, ...]) -> "dict[str, ModePlan]":
    """The experiment's plans for modes, without those that its own learning systems have and `systems` do not: one
    file may plan the mirror of one system, and be run with another.
    """
    from .loading import modes_of

    idle = modes_of(experiment) - modes_of(changed(experiment, learning=systems))
    return {name: plan for name, plan in experiment.modes.items() if name not in idle}


def carry_out(
    experiment: "Experiment", folder: Path, *, overwrite: bool, resume: bool = False, tensorboard: bool = False
) -> list[Path]:
    """Train, write everything into `folder`, and print the table. What was finished is kept whatever happens.

    Where torchrun started several processes, all of them train; rank 0 alone writes and prints, and the others return
    no recordings. A process that torchrun started anew resumes.
    """
    from ..engine.training import (
        Finished,
        Interrupted,
        Silent,
        company_of,
        prepare,
        restarted,
        run_experiment,
    )
    from . import report
    from .loading import circuits_of
    from .watching import watching

    resume = resume or restarted()
    with company_of(experiment) as company:
        prepared = prepare(experiment, circuits_of(experiment), company)
        output = company.told(lambda: _output(folder, prepared, overwrite=overwrite, resume=resume))
        finished = Finished()
        watched = (
            watching(output, prepared, tensorboard=tensorboard, processes=company.size)
            if company.leads
            else nullcontext(Silent())
        )
        try:
            with watched as progress:
                run_experiment(prepared, output, progress=progress, finished=finished, company=company, resume=resume)
        except Exception as error:
            if company.leads:
                status = "interrupted" if isinstance(error, Interrupted) else "failed"
                with suppress(CounterstreamError, OSError):  # what ended the run is what is said
                    report.write(finished.paths, experiment, output, status)
            raise
        if not company.leads:
            return []
    rows = report.write(finished.paths, experiment, output, "complete")
    screen = console()
    screen.print(report.table(rows))
    screen.print(_legend(experiment, rows[0].system), soft_wrap=True)
    screen.print(_spent(finished.outcomes.values()), soft_wrap=True)
    recordings = f"{len(finished.paths)} HDF5 recording{'s' if len(finished.paths) != 1 else ''}"
    screen.print(f"Written to {folder}/: {recordings}, {report.SUMMARY}, {report.FIGURE}", soft_wrap=True)
    return finished.paths


def _output(folder: Path, prepared: "Prepared", *, overwrite: bool, resume: bool) -> "OutputFolder":
    """The folder to write into: what is there is gone on with, if that is wanted and there is anything."""
    from ..engine.training import OutputFolder, check_resumable
    from ..engine.training.output import occupied

    if resume and occupied(folder):
        output = OutputFolder.begun(folder)
        check_resumable(prepared, output)
        return output
    return OutputFolder(folder, overwrite=overwrite)


def _spent(outcomes: "Iterable[Outcome]") -> str:
    """How long training took, of which records and evaluation are no part."""
    found = list(outcomes)
    steps, waited = (math.fsum(getattr(each, name) for each in found) for name in ("training_seconds", "data_wait"))
    if not math.isfinite(waited):  # runs of a time when it was not measured
        return f"\nTraining took {duration(steps)}."
    whole = steps + waited
    return f"\nTraining took {duration(whole)}, {waited / whole if whole else 0:.0%} of it waiting for data."


def _legend(experiment: "Experiment", first: str) -> str:
    seeds = f"mean ± standard deviation over {len(experiment.seeds)} seeds" if len(experiment.seeds) > 1 else "one seed"
    return (
        f"Accuracy: {seeds}. Angles at the end of training, 0° where feedback mirrors forward:\n"
        "matrix angle between W and B, delta angle between a population's error signal and backprop's.\n"
        f"Time: training steps alone, relative to {first}."
    )
