"""`counterstream run`: one experiment of the user's."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    experiment: Annotated[Path, typer.Argument(metavar="EXPERIMENT.yaml", help="The experiment's file.")],
    learning: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Learning systems in place of the experiment's.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, metavar="N", help="Train with the seeds 0 to N - 1.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, metavar="N", help="How long to train.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Where the images lie, in place of the experiment's folder or file."),
    ] = None,
    device: Annotated[str | None, typer.Option(metavar="DEVICE", help="Where to compute, such as cpu or cuda.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder for the results. [default: the experiment's, or runs/NAME]"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files of an earlier run in that folder.")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write figures for TensorBoard, too, beside the recordings.")
    ] = False,
) -> None:
    """Train what an experiment's file declares; record, measure and compare.

    Options given here replace what the file says. Ctrl-C stops; what was recorded until then is kept.

    \b
    Example:
      counterstream run examples/digits.yaml --learning kolen_pollack --seeds 3 --output runs/kp
    """
    from ..engine.training import read
    from .experiment import carry_out, changed, modes_in_use, names_in, seeds_up_to, source_at
    from .html_report import next_step

    written, systems = read(experiment), names_in(learning)
    declared = changed(
        written,
        learning=systems,
        modes=None if systems is None else modes_in_use(written, systems),
        seeds=seeds_up_to(seeds),
        epochs=epochs,
        data=None if data is None else source_at(written, data),
        device=device,
    )
    folder = output or Path(declared.output or f"runs/{declared.name}")
    carry_out(declared, folder, overwrite=overwrite, tensorboard=tensorboard)
    print(f"\nTry next:\n  {next_step(folder)}")
