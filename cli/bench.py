"""`counterstream bench`: a training step on our engines beside the same network in plain PyTorch."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Options, settings

SYSTEMS = "backprop,feedback_alignment,kolen_pollack"


def bench(
    circuit: Annotated[
        str, typer.Argument(metavar="[CIRCUIT]", help="A stock circuit's name, or a file.")
    ] = "resnet18",
    learning: Annotated[str, typer.Option(metavar="A,B,...", help="Learning systems to be timed.")] = SYSTEMS,
    engine: Annotated[str, typer.Option(metavar="A,B,...", help="Installed engines to be timed.")] = "torch",
    against: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...", help="autograd, compiled, biotorch. [default: autograd; with inductor, compiled too]"
        ),
    ] = None,
    option: Options = None,
    batch: Annotated[int, typer.Option(min=2, metavar="N", help="Images of a step.")] = 32,
    size: Annotated[
        int | None, typer.Option(min=1, metavar="PX", help="Side of the images. [default: the circuit's]")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Timed steps of each, taken in turns.")] = 10,
    dtype: Annotated[
        str, typer.Option(metavar="TYPE", help="float32, float64, bfloat16, or tf32 on CUDA.")
    ] = "float32",
    device: Annotated[str, typer.Option(metavar="DEVICE", help="Where to compute: cpu, cuda, auto.")] = "cpu",
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="Folder for bench.json and bench.md.")
    ] = Path("runs/bench"),
) -> None:
    """Time a training step of a circuit under learning systems, and of the same network in plain PyTorch.

    One batch of noise on the device, steps in turns, medians and quartiles, peak memory in a process each.

    \b
    Example:
      counterstream bench resnet18 --size 64 --batch 16
    """
    from ..bench import as_json, as_markdown, compare, plan
    from ..circuits.errors import CounterstreamError
    from .console import console
    from .experiment import names_in

    wanted = plan(
        circuit,
        learning=names_in(learning) or (),
        engines=names_in(engine) or (),
        against=names_in(against),
        batch=batch,
        size=size,
        options=settings(option),
        steps=steps,
        dtype=dtype,
        device=device,
    )
    try:
        output.mkdir(parents=True, exist_ok=True)  # before minutes of work
    except OSError as error:
        raise CounterstreamError(f"{output}: the folder cannot be made ({error.strerror}). Choose another -o") from None
    contest = compare(wanted, console(stderr=True).print)
    table = as_markdown(contest)
    (output / "bench.json").write_text(as_json(contest), encoding="utf-8")
    (output / "bench.md").write_text(table, encoding="utf-8")
    print(table)
    print(f"Written: {output / 'bench.md'} and bench.json. More steps (--steps 50) narrow the quartiles.")
    print(f"Next: counterstream explain {circuit} --batch {batch}")
