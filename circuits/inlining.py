"""Blocks and stages written out: a document with repetition becomes one without, and every piece keeps its place."""

from collections.abc import Iterator, Mapping
from typing import Any

from . import names
from .arithmetic import ArithmeticFault, is_reference, names_in, substitute
from .declarations import Block, Stage
from .errors import CircuitError, Problem, suggest
from .validation import build
from .yamlfile import Document, Path_

MAXIMAL_INSTANCES = 1_000  # of blocks in one circuit


def apply_options(document: Document, given: Mapping[str, Any], variant: str | None = None) -> Document:
    """The document without options and variants: every `$option` replaced by its value.

    That is the value in `given`, or the variant's, or the declared default. Options may be reckoned from options that
    stand before them. Inside a block, the block's own parameters hide options of the same name. A variant's name
    becomes the circuit's. Raises CircuitError for unknown options and variants.
    """
    data = document.data
    if not isinstance(data, dict):
        return document
    declared, variants = _mapping(document, "options"), _mapping(document, "variants")
    if variant is not None and variant not in variants:
        hint = suggest(variant, variants, "variants")
        raise CircuitError(document.problem(f"unknown variant '{variant}'. {hint}", ("variants",)))
    problems = [
        document.problem(f"unknown option '{name}'. {suggest(name, declared, 'options')}", path)
        for name, path in _set_options(given, variants)
        if name not in declared
    ]
    options = _settled({**declared, **(variants[variant] if variant else {}), **given})
    rest = {key: value for key, value in data.items() if key not in ("options", "variants", "blocks")}
    written = _substitute(rest | ({"name": variant} if variant else {}), options)
    problems += _left_over(document, written, (), options, "options")
    if problems:
        raise CircuitError(sorted(problems, key=lambda p: p.location))
    if isinstance(blocks := data.get("blocks"), dict):
        written["blocks"] = {name: _substitute(block, _unhidden(options, block)) for name, block in blocks.items()}
    elif "blocks" in data:
        written["blocks"] = blocks
    ordered = {key: written[key] for key in (*data, "name") if key in written}
    return Document(ordered, document.file, origins={(): (document, ())})


def _mapping(document: Document, key: str) -> dict[str, Any]:
    """What stands at the top of a file under a key, of names to values."""
    found = document.data.get(key) or {}
    nested = key == "variants" and isinstance(found, dict)
    for path, value in (((key,), found), *(((key, name), item) for name, item in (found.items() if nested else ()))):
        if not isinstance(value, dict):
            raise CircuitError(document.problem("must be a mapping of names to values", path))
    return dict(found)


def _set_options(given: Mapping[str, Any], variants: Mapping[str, Any]) -> Iterator[tuple[str, Path_]]:
    """The options that somebody sets, and where."""
    yield from ((name, ("options",)) for name in given)
    for variant, settings in variants.items():
        yield from ((name, ("variants", variant, name)) for name in settings)


def _settled(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with references among them replaced; each may name those before it."""
    settled: dict[str, Any] = {}
    for name, value in options.items():
        settled[name] = _substitute(value, settled)
    return settled


def _unhidden(options: dict[str, Any], block: Any) -> dict[str, Any]:
    own = block.get("parameters", {}) if isinstance(block, dict) else {}
    return {name: value for name, value in options.items() if not isinstance(own, dict) or name not in own}


def _substitute(value: Any, scope: Mapping[str, Any]) -> Any:
    """The value with every reference replaced; what is out of scope, or cannot be worked out, stays as it is."""
    if isinstance(value, str) and is_reference(value):
        try:
            return substitute(value, scope)
        except ArithmeticFault:
            return value  # `_left_over` says what is wrong with it, and where
    if isinstance(value, dict):
        return {key: _substitute(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [_substitute(item, scope) for item in value]
    return value


def _left_over(document: Document, value: Any, path: Path_, scope: Mapping[str, Any], noun: str) -> Iterator[Problem]:
    """A problem for every reference that nothing has replaced."""
    if isinstance(value, str) and is_reference(value):
        yield document.problem(_why_left(value, scope, noun), path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _left_over(document, item, (*path, key), scope, noun)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _left_over(document, item, (*path, index), scope, noun)


def _why_left(reference: str, scope: Mapping[str, Any], noun: str) -> str:
    try:
        for name in names_in(reference):
            if name not in scope:
                return f"unknown name '${name}'. {suggest(name, scope, noun)}"
        substitute(reference, scope)
    except ArithmeticFault as fault:
        return str(fault)
    return f"must name a value (got {reference})"  # a name whose value is a reference that leads nowhere


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
    if writer.problems:
        unique = dict.fromkeys(writer.problems)  # instances of one block repeat what is wrong in it
        raise CircuitError(sorted(unique, key=lambda p: p.location))
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
        self.problems: list[Problem] = []
        self._instances = 0

    def stage(self, index: int, stage: Stage) -> None:
        """Write all instances of a stage."""
        path: Path_ = ("stages", index)
        self._check_stage(path, stage)
        source = self.ends.get(stage.source, stage.source)
        repeat = stage.repeat if isinstance(stage.repeat, int) else 0
        self._instances += max(repeat, 0)
        if repeat < 1 or self._instances > MAXIMAL_INSTANCES:
            self._complain(
                f"repeat must be at least 1, and a circuit holds at most {MAXIMAL_INSTANCES} instances of blocks "
                f"(got {stage.repeat!r})",
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
            scope = self._scope(path, name, stage.parameters, changes)
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

    def _scope(self, path: Path_, name: str, given: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
        block = self.blocks[name]
        for key, values in (("with", given), ("first", first)):
            for unknown in sorted(values.keys() - block.parameters.keys()):
                valid = suggest(unknown, block.parameters, "its parameters")
                self._complain(f"block '{name}' has no parameter '{unknown}'. {valid}", (*path, key, unknown))
        scope = {**block.parameters, **given, **first}
        for _ in range(min(len(scope), 8)):  # a parameter's value may name other parameters, which may name others
            scope = {key: _substitute(value, scope) for key, value in scope.items()}
        return scope

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
        written = _substitute(declared, scope)
        self.problems += _left_over(self.source, written, place, scope, "parameters of the block")
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
        self.problems.append(self.source.problem(message, path))

    def document(self) -> Document:
        data = {key: value for key, value in self.source.data.items() if key not in ("blocks", "stages")}
        return Document(
            {**data, "populations": self.populations, "projections": self.projections},
            self.source.file,
            origins=self.origins,
        )
