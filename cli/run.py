"""`counterstream run`: one experiment of the user's."""

import shlex
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
    engine: Annotated[str | None, typer.Option(metavar="NAME", help="The engine, as `list` names them.")] = None,
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
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what that folder holds, if anything.")] = False,
) -> None:
    """Train what an experiment's file declares; record, measure and compare.

    Options given here replace what the file says. Ctrl-C and SIGTERM stop after the present step; what was recorded
    until then is kept, and --resume goes on from there. Exit codes: 0; 2 for what you can mend; 130 after Ctrl-C; 143
    after SIGTERM.

    \b
    Examples:
      counterstream run examples/digits.yaml --learning kolen_pollack --seeds 3 --output runs/kp
      torchrun --nproc-per-node 8 -m counterstream run EXPERIMENT.yaml --resume
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
        engine=engine,
        device=device,
    )
    folder = output or Path(declared.output or f"runs/{declared.name}")
    recordings = carry_out(declared, folder, overwrite=overwrite, resume=resume, tensorboard=tensorboard)
    if recordings:
        print(
            f"\nTry next:\n  {next_step(folder)}\n"
            f"  counterstream table {shlex.quote(str(folder))}\n"
            f"  counterstream analyze {shlex.quote(str(recordings[-1]))}"
        )
