"""`counterstream data`: folders of images, made, looked at, packed and checked."""

from pathlib import Path
from typing import Annotated

import typer

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Make, look at, pack and check folders of images in ImageNet's layout.

    \b
    Example:
      counterstream data fractals data/fractals --classes 20
    """,
)

Workers = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Processes that share the work. [default: one a core]")
]


@data.command()
def fractals(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write: new, empty or begun.")],
    classes: Annotated[int, typer.Option(min=1, max=100_000, metavar="C", help="How many.")] = 20,
    train: Annotated[int, typer.Option(min=1, metavar="N", help="Training images of each class.")] = 300,
    val: Annotated[int, typer.Option(min=1, metavar="M", help="Validation images of each class.")] = 50,
    size: Annotated[
        int,
        typer.Option(min=8, max=4096, metavar="PX", help="A typical shorter side; images differ, as photos do."),
    ] = 96,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, metavar="K", help="Other seeds give other classes.")] = 0,
    workers: Workers = None,
) -> None:
    """Draw classes of fractals (after FractalDB) as JPEGs in ImageNet's layout: train/CLASS/*.JPEG, val/CLASS/*.JPEG.

    A stand-in where ImageNet cannot be had. The same options give the same images, whatever the number of workers. Run
    it again to go on after an interruption.

    \b
    Example:
      counterstream data fractals data/fractals --classes 20 --train 300 --val 50 --size 96
    """
    from ..engine.data.cores import cores
    from ..engine.data.fractals import Plan, write
    from .counting import Counting

    plan = Plan(classes=classes, train=train, val=val, size=size, seed=seed)
    with Counting("fractals", plan.images) as counting:
        drawn = write(folder, plan, workers=workers or cores(), progress=counting.add)
    before = f" ({plan.images - drawn:,} of them were there)" if drawn < plan.images else ""
    print(f"{folder}: {plan.images:,} images of {classes} classes{before}, {counting.seconds:.0f} s")
    print(f"\nTry next:\n  counterstream data sheet {folder} -o sheet.png")


@data.command()
def sheet(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder in ImageNet's layout.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.png", help="The picture to write.")],
    split: Annotated[str, typer.Option(metavar="NAME", help="Which part of the folder: train, val.")] = "train",
    classes: Annotated[int, typer.Option(min=1, metavar="N", help="Rows.")] = 10,
    images: Annotated[int, typer.Option(min=1, metavar="N", help="Images in a row.")] = 8,
) -> None:
    """Draw a contact sheet of a folder of images: a row a class.

    \b
    Example:
      counterstream data sheet data/fractals -o sheet.png
    """
    from ..engine.data.sheet import sheet as draw_sheet

    drawn = draw_sheet(folder, output, split=split, classes=classes, images=images)
    print(f"{output}: {drawn} images of {folder / split}")
