"""Blocks and stages written out: a document with repetition becomes one without, and every piece keeps its place in the file."""

from collections.abc import Mapping
from typing import Any

from .declarations import Block, Stage
from .errors import CircuitError, Location, Problem, suggest
from .validation import build
from .yamlfile import Document, Path_, path_text

MAXIMAL_INSTANCES = 10_000


def apply_options(document: Document, given: Mapping[str, Any]) -> Document:
    """The document with its options replaced by `given` where named, and every `$option` by its value.

    Inside a block, the block's own parameters hide options of the same name. Raises CircuitError for unknown options.
    """
    data = document.data
    if not isinstance(data, dict):
        return document
    declared = data.get("options", {})
    if not isinstance(declared, dict):
        raise CircuitError(document.problem("options must be a mapping of names to values", ("options",)))
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise CircuitError(
            document.problem(f"unknown option '{name}'. {suggest(name, declared, 'options')}", ("options",))
            for name in unknown
        )
    options = {**declared, **given}
    result = {key: _substitute(value, options) for key, value in data.items() if key not in ("options", "blocks")}
    if options:
        result["options"] = options
    if "blocks" in data:
        blocks = data["blocks"]
        result["blocks"] = (
            {name: _substitute(block, _unhidden(options, block)) for name, block in blocks.items()}
            if isinstance(blocks, dict)
            else blocks
        )
    return Document(
        {key: result[key] for key in [*data, "options"] if key in result}, document.file, document.locations
    )


def _unhidden(options: dict[str, Any], block: Any) -> dict[str, Any]:
    own = block.get("parameters", {}) if isinstance(block, dict) else {}
    return {name: value for name, value in options.items() if not isinstance(own, dict) or name not in own}


def _substitute(value: Any, scope: Mapping[str, Any]) -> Any:
    """`$name` becomes the value of that name, wherever it stands alone; a name out of scope stays as it is."""
    if isinstance(value, str) and value.startswith("$") and value[1:] in scope:
        return scope[value[1:]]
    if isinstance(value, dict):
        return {key: _substitute(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [_substitute(item, scope) for item in value]
    return value


def inline(document: Document, blocks: Mapping[str, Block], stages: list[Stage]) -> Document:
    """The document without blocks and stages. Instances are named `STAGE.block1.POPULATION`.

    Raises CircuitError for unknown blocks, parameters and ports, each with its place in the file.
    """
    if not stages:
        return _without_blocks(document)
    writer = _Writer(document)
    outputs = {stage.name: writer.stage(index, stage, blocks) for index, stage in enumerate(stages)}
    writer.follow(outputs)
    if writer.problems:
        raise CircuitError(writer.problems)
    return writer.document()


def _without_blocks(document: Document) -> Document:
    data = {key: value for key, value in document.data.items() if key not in ("blocks", "stages")}
    return Document(data, document.file, document.locations)


class _Writer:
    """Collects the populations and projections of every instance, with their places."""

    def __init__(self, document: Document) -> None:
        self.source = document
        self.populations: dict[str, Any] = {}
        self.projections: list[Any] = []
        self.locations: dict[Path_, Location] = {
            path: place for path, place in document.locations.items() if path[:1] != ("projections",) or len(path) == 1
        }
        self.problems: list[Problem] = []

    def stage(self, index: int, stage: Stage, blocks: Mapping[str, Block]) -> str:
        """Write all instances of a stage and return the name of its last output."""
        source, path = stage.source, ("stages", index)
        if not isinstance(stage.repeat, int) or not 1 <= stage.repeat <= MAXIMAL_INSTANCES:
            self._complain(
                f"repeat must be a number from 1 to {MAXIMAL_INSTANCES} (got {stage.repeat!r})", (*path, "repeat")
            )
            return source
        for number in range(1, stage.repeat + 1):
            changes = dict(stage.first) if number == 1 else {}
            name = changes.pop("block", stage.block)
            if name not in blocks:
                self._complain(f"unknown block '{name}'. {suggest(str(name), blocks, 'blocks')}", (*path, "block"))
                return source
            scope = self._scope(path, name, blocks[name], {**stage.parameters, **changes})
            source = self._instance(f"{stage.name}.block{number}", name, blocks[name], scope, source)
        return source

    def _scope(self, path: Path_, name: str, block: Block, given: dict[str, Any]) -> dict[str, Any]:
        for unknown in given.keys() - block.parameters.keys():
            valid = suggest(unknown, block.parameters, "its parameters")
            self._complain(f"block '{name}' has no parameter '{unknown}'. {valid}", path)
        scope = {**block.parameters, **given}
        for _ in range(len(scope)):  # a parameter's value may name other parameters
            scope = {key: _substitute(value, scope) for key, value in scope.items()}
        return scope

    def _instance(self, prefix: str, block_name: str, block: Block, scope: dict[str, Any], source: str) -> str:
        origin: Path_ = ("blocks", block_name)
        if block.ports.out not in block.populations:
            valid = suggest(block.ports.out, block.populations, "its populations")
            self._complain(
                f"port 'out' must be a population of the block (got '{block.ports.out}'). {valid}", (*origin, "ports")
            )
        for name, declared in block.populations.items():
            full = f"{prefix}.{name}"
            self._place(("populations", full), (*origin, "populations", name))
            self.populations[full] = _substitute(declared, scope)
        names = {name: f"{prefix}.{name}" for name in block.populations} | {block.ports.source: source}
        for index, declared in enumerate(block.projections):
            written = _substitute(declared, scope)
            place = (*origin, "projections", index)
            if isinstance(written, dict):
                written = self._rename(written, names, prefix, place)
            self._place(("projections", len(self.projections)), place)
            self.projections.append(written)
        return f"{prefix}.{block.ports.out}"

    def _rename(self, projection: dict[str, Any], names: dict[str, str], prefix: str, place: Path_) -> dict[str, Any]:
        renamed = dict(projection)
        for end in ("from", "to"):
            if end in projection and projection[end] not in names:
                valid = suggest(str(projection[end]), names, "names inside the block")
                self._complain(f"unknown population '{projection[end]}'. {valid}", (*place, end))
            renamed[end] = names.get(projection.get(end, ""), projection.get(end))
        if "name" in projection:
            renamed["name"] = f"{prefix}.{projection['name']}"
        return renamed

    def follow(self, outputs: Mapping[str, str]) -> None:
        """Let a stage's name stand for its last output, in projections and in the sources of later stages."""

        def resolved(name: Any) -> Any:
            while name in outputs:
                name = outputs[name]
            return name

        own = self.source.data.get("projections") or []
        for index, projection in enumerate(own):
            self._place(("projections", len(self.projections)), ("projections", index))
            self.projections.append(projection)
        self.projections = [
            {**item, "from": resolved(item.get("from"))} if isinstance(item, dict) and "from" in item else item
            for item in self.projections
        ]

    def _place(self, path: Path_, origin: Path_) -> None:
        """Everything under `path` of the new document stands where `origin` of the old one stands."""
        for old, location in self.source.locations.items():
            if old[: len(origin)] == origin:
                self.locations[(*path, *old[len(origin) :])] = location

    def _complain(self, message: str, path: Path_) -> None:
        self.problems.append(Problem(message, path_text(path), self.source.location(path)))

    def document(self) -> Document:
        data = {key: value for key, value in self.source.data.items() if key not in ("blocks", "stages")}
        data["populations"] = {**data.get("populations", {}), **self.populations}
        data["projections"] = self.projections
        return Document(data, self.source.file, self.locations)


def flat(document: Document) -> Document:
    """The document with blocks and stages written out; one that has none comes back as it is."""
    data = document.data
    blocks = {name: build(Block, document.at("blocks").at(name)) for name in data.get("blocks", {})}
    stages = [build(Stage, document.at("stages").at(index)) for index in range(len(data.get("stages", [])))]
    return inline(document, blocks, stages)
