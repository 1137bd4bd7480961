"""`counterstream demo`: the five learning systems of the weight-transport literature on real digits, in two minutes."""

from pathlib import Path
from typing import Annotated

import typer

EXPERIMENT = "demo.yaml"  # in models/experiments
NEXT = """
All systems share a decay of {decay:g}, far above the usual: the decay alone makes Kolen-Pollack's W - B shrink,
and here it has but {epochs} epochs to do so.

Try next:
  {report}
  counterstream check digits_resnet --learning kolen_pollack     is it local? projection by projection
  counterstream expand digits_resnet --learning weight_mirror    every population, projection and rule
  counterstream analyze {recording}
  counterstream run YOUR_EXPERIMENT.yaml                          start from {experiment}"""


def demo(
    seeds: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Train with the seeds 0 to N - 1. [default: 2]")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How long to train. [default: the experiment's]")
    ] = None,
    systems: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Learning systems. [default: all five]")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(metavar="NAME", help="The engine. [default: the experiment's, torch]")
    ] = None,
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the results.")] = Path("runs/demo"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files of an earlier run in that folder.")
    ] = False,
) -> None:
    """Train five learning systems on handwritten digits in the same residual circuit, and compare them.

    Backprop, feedback alignment, sign symmetry, weight mirror and Kolen-Pollack. Writes one HDF5 recording
    for each run, summary.json and angles.png.

    \b
    Example:
      counterstream demo --systems backprop,kolen_pollack --seeds 1 --output /tmp/demo
    """
    from importlib.resources import files

    from ..engine.training import read
    from .experiment import carry_out, changed, names_in, seeds_up_to
    from .html_report import next_step

    declared = files("counterstream.models") / "experiments" / EXPERIMENT
    experiment = changed(
        read(str(declared)), seeds=seeds_up_to(seeds), epochs=epochs, learning=names_in(systems), engine=engine
    )
    recordings = carry_out(experiment, output, overwrite=overwrite)
    if not recordings:  # one of several processes, and not the one that talks
        return
    print(
        NEXT.format(
            decay=experiment.parameters["decay"],
            epochs=experiment.epochs,
            recording=recordings[-1],
            report=next_step(output),
            experiment=declared,
        )
    )
