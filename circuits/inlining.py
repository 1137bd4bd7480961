"""Blocks and stages written out: a document with repetition becomes one without, and every piece keeps its place."""

from collections.abc import Mapping
from typing import Any

from . import names
from .declarations import Block, Stage
from .errors import Problems, suggest
from .references import Room, left_over, settled, substituted
from .validation import build
from .yamlfile import Document, Path_

MAXIMAL_INSTANCES = 1_000  # of blocks in one circuit
MAXIMAL_PARTS = 3_500  # populations and projections in them; ResNet-152 has 430. Written out, they must be a file still


def flat(document: Document) -> Document:
    """The document with blocks and stages written out. Instances are named `STAGE.block1.POPULATION`.

    Raises CircuitError for unknown blocks, parameters and ports, each with its place in the file.
    """
    data = document.data
    blocks = {name: build(Block, document.at("blocks", name)) for name in data.get("blocks", {})}
    stages = [build(Stage, document.at("stages", index)) for index in range(len(data.get("stages", [])))]
    writer = _Writer(document, blocks)
    for index, stage in enumerate(stages):
        writer.stage(index, stage)
    writer.own_projections()
    writer.problems.stop()
    return writer.document()


def _is_named(projection: Any) -> bool:
    return isinstance(projection, dict) and isinstance(projection.get("name"), str)


class _Writer:
    """Collects the populations and projections of every instance, and where each was written."""

    def __init__(self, document: Document, blocks: Mapping[str, Block]) -> None:
        self.source = document
        self.blocks = blocks
        self.populations: dict[str, Any] = dict(document.data.get("populations") or {})
        self.projections: list[Any] = []
        self.origins: dict[Path_, tuple[Document, Path_]] = {(): (document, ())}
        self.ends: dict[str, str] = {}
        """Stage -> its last output."""
        self.problems = Problems()
        self._instances = 0
        self._parts = 0
        self._room = Room()

    def stage(self, index: int, stage: Stage) -> None:
        """Write all instances of a stage."""
        path: Path_ = ("stages", index)
        self._check_stage(path, stage)
        source = self.ends.get(stage.source, stage.source)
        repeat = stage.repeat
        self._instances += max(repeat, 0)
        if repeat < 1 or self._instances > MAXIMAL_INSTANCES:
            self._complain(
                f"repeat must be at least 1, and a circuit holds at most {MAXIMAL_INSTANCES} instances of blocks "
                f"(got {repeat})",
                (*path, "repeat"),
            )
            repeat = 0
        for number in range(1, repeat + 1):
            changes = dict(stage.first) if number == 1 else {}
            named = "first" if "block" in changes else "block"
            name = changes.pop("block", stage.block)
            if not isinstance(name, str) or name not in self.blocks:
                self._complain(f"unknown block '{name}'. {suggest(str(name), self.blocks, 'blocks')}", (*path, named))
                break
            self._parts += len(self.blocks[name].populations) + len(self.blocks[name].projections)
            if self._parts > MAXIMAL_PARTS:
                self._complain(
                    f"blocks must bring at most {MAXIMAL_PARTS} populations and projections into a circuit "
                    f"(got more in {stage.name}.block{number})",
                    (*path, "repeat"),
                )
                break
            if (scope := self._scope(path, name, stage.parameters, changes)) is None:
                break
            source = self._instance(f"{stage.name}.block{number}", name, scope, source)
        self.ends[stage.name] = source

    def _check_stage(self, path: Path_, stage: Stage) -> None:
        if wrong := names.complaint(stage.name):
            self._complain(wrong, (*path, "name"))
        elif stage.name in self.ends or stage.name in self.populations:
            self._complain(f"a stage needs a name of its own ('{stage.name}' stands twice)", (*path, "name"))
        if stage.source not in self.ends and stage.source not in self.populations:
            valid = suggest(stage.source, [*self.populations, *self.ends], "populations and stages above")
            self._complain(f"unknown population '{stage.source}'. {valid}", (*path, "from"))

    def _scope(self, path: Path_, name: str, given: dict[str, Any], first: dict[str, Any]) -> dict[str, Any] | None:
        """The parameters of one instance of a block; None where some cannot be settled."""
        block = self.blocks[name]
        for key, values in (("with", given), ("first", first)):
            for unknown in sorted(values.keys() - block.parameters.keys()):
                valid = suggest(unknown, block.parameters, "its parameters")
                self._complain(f"block '{name}' has no parameter '{unknown}'. {valid}", (*path, key, unknown))
        scope, faults = settled({**block.parameters, **given, **first}, "parameters of the block")
        for parameter, why in faults:
            holder = ("first" if parameter[0] in first else "with") if parameter[0] in {**given, **first} else ""
            place: Path_ = (*path, holder) if holder else ("blocks", name, "parameters")
            self._complain(why, (*place, *parameter))
        return None if faults else scope

    def _instance(self, prefix: str, block_name: str, scope: dict[str, Any], source: str) -> str:
        block, origin = self.blocks[block_name], ("blocks", block_name)
        if block.ports.out not in block.populations:
            valid = suggest(block.ports.out, block.populations, "its populations")
            self._complain(
                f"port 'out' must be a population of the block (got '{block.ports.out}'). {valid}",
                (*origin, "ports", "out"),
            )
        for name, declared in block.populations.items():
            place: Path_ = (*origin, "populations", name)
            written = self._filled(declared, scope, place)
            if isinstance(written, dict) and str(written.get("partner")) in block.populations:
                written = {**written, "partner": f"{prefix}.{written['partner']}"}
            self.populations[f"{prefix}.{name}"] = written
            self.origins["populations", f"{prefix}.{name}"] = (self.source, place)
        local = {name: f"{prefix}.{name}" for name in block.populations} | {block.ports.source: source}
        labels = {p["name"]: f"{prefix}.{p['name']}" for p in block.projections if _is_named(p)}
        for index, declared in enumerate(block.projections):
            place = (*origin, "projections", index)
            written = self._filled(declared, scope, place)
            self._append(self._renamed(written, local, labels, place) if isinstance(written, dict) else written, place)
        return f"{prefix}.{block.ports.out}"

    def _filled(self, declared: Any, scope: dict[str, Any], place: Path_) -> Any:
        written = substituted(declared, scope)
        if why := self._room.refusal(written):
            self._complain(why, place)
            self.problems.stop()
        for path, why in left_over(written, scope, "parameters of the block"):
            self._complain(why, (*place, *path))
        return written

    def _renamed(
        self, projection: dict[str, Any], local: dict[str, str], labels: dict[str, str], place: Path_
    ) -> dict[str, Any]:
        """The projection with names that hold outside of its block."""
        renamed = dict(projection)
        for end in ("from", "to"):
            name = projection.get(end)
            if isinstance(name, str):
                if name not in local:
                    valid = suggest(name, local, "names inside the block")
                    self._complain(f"unknown population '{name}'. {valid}", (*place, end))
                renamed[end] = local.get(name, name)
        for key in ("name", "reverse_of"):
            if isinstance(label := projection.get(key), str):
                renamed[key] = labels.get(label, label)
        if isinstance(tie := projection.get("weights"), dict):
            renamed["weights"] = {
                kind: labels.get(owner, owner) if isinstance(owner, str) else owner for kind, owner in tie.items()
            }
        return renamed

    def own_projections(self) -> None:
        """The projections outside blocks; a stage's name stands for its last output."""
        for index, projection in enumerate(self.source.data.get("projections") or []):
            source = projection.get("from") if isinstance(projection, dict) else None
            followed = {"from": self.ends[source]} if isinstance(source, str) and source in self.ends else {}
            self._append({**projection, **followed} if followed else projection, ("projections", index))

    def _append(self, projection: Any, place: Path_) -> None:
        self.origins["projections", len(self.projections)] = (self.source, place)
        self.projections.append(projection)

    def _complain(self, message: str, path: Path_) -> None:
        self.problems.add(self.source.problem(message, path))

    def document(self) -> Document:
        data = {key: value for key, value in self.source.data.items() if key not in ("blocks", "stages")}
        return Document(
            {**data, "populations": self.populations, "projections": self.projections},
            self.source.file,
            origins=self.origins,
        )
