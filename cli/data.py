"""`counterstream data`: folders of images, made, looked at, packed and checked."""

from enum import StrEnum
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


class Corrupt(StrEnum):
    """What to do about a bad file."""

    error = "error"
    skip = "skip"


LISTED = 20  # bad files on the screen, at most

GroundTruth = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Which class each file of val is of, where val has no folders.")
]
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

    drawn, bad = draw_sheet(folder, output, split=split, classes=classes, images=images)
    print(f"{output}: {drawn} images of {folder / split}")
    if bad:
        print(f"{bad} could not be decoded and are marked so: `counterstream data check {folder}` says why")


@data.command()
def pack(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder in ImageNet's layout.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The packed file to write: a new one.")
    ],
    side: Annotated[
        int, typer.Option(min=1, metavar="PX", help="To what the shorter side of larger images shrinks.")
    ] = 256,
    quality: Annotated[int, typer.Option(min=1, max=100, metavar="Q", help="Of the JPEGs.")] = 90,
    raw: Annotated[bool, typer.Option("--raw", help="Pixels instead of JPEGs: faster to read, much larger.")] = False,
    corrupt: Annotated[
        Corrupt, typer.Option(help="What a bad file does: end the command, or be left out.")
    ] = Corrupt.error,
    ground_truth: GroundTruth = None,
    workers: Workers = None,
) -> None:
    """Pack a folder of images into one file, shrunk once to be read many times: `data: {imagenet: {packed: FILE}}`.

    The same folder and options give the same bytes, whatever the number of workers. Run it again to go on after an
    interruption.

    \b
    Example:
      counterstream data pack data/fractals -o data/fractals.pack
    """
    from ..engine.data.cores import cores
    from ..engine.data.images.layout import Layout
    from ..engine.data.images.packing import Packing
    from ..engine.data.images.packing import pack as pack_folder
    from .counting import Counting

    layout = Layout(folder)
    images = len(layout.train()) + len(layout.val(ground_truth))
    packing = Packing(side=side, quality=quality, raw=raw)
    with Counting("images", images) as counting:
        report = pack_folder(
            folder,
            output,
            packing,
            policy=corrupt.value,
            truth=ground_truth,
            workers=workers or cores(),
            progress=counting.add,
        )
    print(f"{output}: {report.images:,} images, {report.bytes / 1e6:,.1f} MB, {counting.seconds:.0f} s")
    for name, reason in report.left_out.items():
        print(f"left out: {folder / name} ({reason})")
    print(f"\nIn an experiment:\n  data: {{imagenet: {{packed: {output}}}}}")


@data.command()
def check(
    place: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="A folder in ImageNet's layout, or a packed file.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the list of bad files, for `exclude`.")
    ] = None,
    ground_truth: GroundTruth = None,
    workers: Workers = None,
) -> None:
    """Decode every image once: count the kinds of files, and name the bad ones. Exit code 1 if there are any.

    \b
    Example:
      counterstream data check data/fractals -o bad.txt
    """
    from ..engine.data.cores import cores
    from ..engine.data.images.checking import check as check_images
    from ..engine.data.images.checking import see_that_it_can_be_written, sources, write_list
    from .counting import Counting

    if output is not None:
        see_that_it_can_be_written(output)
    images = sum(len(source.labels) for source in sources(place, ground_truth).values())
    with Counting("images", images) as counting:
        found = check_images(place, truth=ground_truth, workers=workers or cores(), progress=counting.add)
    counts = f"{found.images:,} images of {found.classes:,} classes, {len(found.bad):,} bad"
    print(f"{place}: {counts}, {counting.seconds:.0f} s")
    for kind, number in found.kinds.most_common():
        print(f"  {number:>12,} {kind}")
    if found.others:
        more = ", ..." if len(found.others) > 3 else ""
        print(f"not read, for their names are no images: {', '.join(found.others[:3])}{more}")
    for name, reason in list(found.bad.items())[:LISTED]:
        print(f"bad: {name} ({reason})")
    if output is not None:
        write_list(output, found)
        print(f"\n{output}: the list of them, {len(found.bad):,} lines")
        if place.is_dir():
            print(f"In an experiment:\n  data: {{imagenet: {{folder: {place}, exclude: {output}}}}}")
    elif len(found.bad) > LISTED:
        print(f"and {len(found.bad) - LISTED:,} more: -o FILE writes them all")
    if found.bad:
        raise typer.Exit(1)
