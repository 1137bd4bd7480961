"""The source `imagenet`: images in ImageNet's layout, or packed from it."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, GetJsonSchemaHandler, model_validator

from ..cores import readers
from ..dataset import DataError, Dataset
from ..source import DataSource
from ..stratified import stratified
from .layout import Layout
from .packed import PackedFile
from .source import Files, Source
from .split import Images, Look
from .variation import Varying
from .views import Interpolation, View

VALIDATION_SEED = 1

Positive = Annotated[float, Field(gt=0)]
Triple = Annotated[tuple[float, ...], Field(min_length=3, max_length=3)]


class ImageNet(DataSource):
    """Images in ImageNet's layout. Written as `imagenet: DIR`, `imagenet: {folder: DIR, ...}` or
    `imagenet: {packed: FILE, ...}`. The test split is the folder's `val`.
    """

    kind: ClassVar[str] = "imagenet"
    about: ClassVar[str] = "images in ImageNet's layout: train/CLASS/*.JPEG, val/CLASS/*.JPEG (docs/data.md)"

    folder: str | None = Field(
        default=None, description="A folder with train and val, relative to the experiment's file."
    )
    packed: str | None = Field(default=None, description="In place of a folder, the file that `data pack` made of it.")
    ground_truth: str | None = Field(
        default=None, description="Which class each file of val is of, where val has no folders."
    )
    exclude: str | None = Field(
        default=None, description="A list of files to leave out of the folder, as `data check -o` writes it."
    )
    validation: int = Field(
        default=0, ge=0, description="Samples cut from the training images, each class in proportion."
    )
    size: int = Field(default=224, ge=1, le=4096, description="Pixels of a side, as the network sees it.")
    evaluation_size: int | None = Field(
        default=None, ge=1, le=8192, description="Shorter side before the middle is cut out. Default: size * 8 / 7."
    )
    scale: tuple[Positive, Positive] = Field(
        default=(0.08, 1.0), description="Area of a random crop, in shares of the image."
    )
    ratio: tuple[Positive, Positive] = Field(default=(3 / 4, 4 / 3), description="Width over height of a random crop.")
    flip: float = Field(default=0.5, ge=0, le=1, description="Probability with which a training image is mirrored.")
    interpolation: Interpolation = Field(default="bilinear", description="Always antialiased.")
    mixup: float = Field(default=0, ge=0, description="The a of Beta(a, a), from which shares are drawn; 0: none.")
    label_smoothing: float = Field(default=0, ge=0, lt=1, description="Of the target, shared by all classes alike.")
    mean: Triple = Field(default=(0.485, 0.456, 0.406), description="Of red, green and blue; white is 1.")
    deviation: Annotated[tuple[Positive, ...], Field(min_length=3, max_length=3)] = Field(
        default=(0.229, 0.224, 0.225), description="Likewise."
    )
    corrupt: Literal["error", "skip"] = Field(
        default="error", description="A bad file in training ends the run, or the next good one stands in for it."
    )
    workers: int | None = Field(
        default=None,
        ge=0,
        le=1024,
        description="Processes that read. Default: one a core, shared by the machine's ranks; at most 32 each.",
    )

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"folder": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> Any:
        return {"anyOf": [{"type": "string"}, handler(core_schema)]}

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.folder is None) == (self.packed is None):
            got = "neither" if self.folder is None else "both"
            raise ValueError(
                f"must name a folder or a packed file (got {got}). Write imagenet: DIR, or {{packed: FILE}}"
            )
        for name in ("ground_truth", "exclude"):
            if self.folder is None and getattr(self, name) is not None:
                raise ValueError(f"{name} goes with a folder; a packed file was made with it")
        for name in ("scale", "ratio"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} must rise (got {[low, high]})")
        if self.scale[1] > 1:
            raise ValueError(f"scale must be at most 1, the whole image (got {self.scale[1]:g})")
        if self.shorter < self.size:
            raise ValueError(f"evaluation_size must be at least size, {self.size} (got {self.evaluation_size})")
        return self

    @property
    def shorter(self) -> int:
        """The shorter side of an image before its middle is cut out."""
        return round(self.size * 8 / 7) if self.evaluation_size is None else self.evaluation_size

    def anchored(self, folder: Path) -> Self:
        paths = {name: getattr(self, name) for name in ("folder", "packed", "ground_truth", "exclude")}
        return self.model_copy(update={name: str(folder / path) for name, path in paths.items() if path is not None})

    def load(self) -> Dataset:
        place, classes, sources = self._found()
        train, test = (self._split(source, classes, place) for source in sources)
        validation = None
        if self.validation:
            if self.validation >= len(train):
                raise DataError(
                    f"{place}: validation must be less than the {len(train)} training images (got {self.validation})"
                )
            rest, chosen = stratified(train.labels, self.validation, VALIDATION_SEED)
            train, validation = train.select(rest), train.select(chosen)
        return Dataset(place.name, classes, train, test, validation)

    def _found(self) -> tuple[Path, int, tuple[Source, Source]]:
        """Where the images are, how many classes they have, and those to train and to test on."""
        if self.packed is not None:
            file = PackedFile.open(Path(self.packed))
            return file.path, len(file.classes), (file.split("train"), file.split("val"))
        root = Path(self.folder or "")
        truth, exclude = (None if name is None else Path(name) for name in (self.ground_truth, self.exclude))
        layout = Layout(root, exclude)
        return root, len(layout.classes), (Files(layout.train()), Files(layout.val(truth)))

    def _split(self, source: Source, classes: int, place: Path) -> Images:
        look = Look(
            view=View(size=self.size, shorter=self.shorter, interpolation=self.interpolation),
            varying=Varying(scale=self.scale, ratio=self.ratio, flip=self.flip, mixup=self.mixup),
            mean=self.mean,
            deviation=self.deviation,
            smoothing=self.label_smoothing,
            policy=self.corrupt,
            workers=readers() if self.workers is None else self.workers,
        )
        remedy = "pack the folder anew" if self.packed else "name its list as `exclude`"
        return Images(
            source, classes, look, f"`counterstream data check {place} -o bad.txt` finds all such files; {remedy}"
        )
