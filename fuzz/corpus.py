"""Sound texts, from which broken ones are made: the files in `sound/`, the stock ones, and what follows from them."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import counterstream as cs
from counterstream.circuits.yamlfile import read
from counterstream.models import load_learning, stock_circuits, stock_learning
from counterstream.models.library import stock_variants

ROOT = Path(__file__).parents[1]
SOUND = Path(__file__).parent / "sound"
_LARGE = ("resnet", "resnet_v2", "resnet_post", "vgg_bn", "alexnet")  # an input takes as long as five others


@cache
def compact() -> tuple[str, ...]:
    """Compact circuits. Stock ones have their learning system inside, so that changes reach both."""
    small = [name for name in stock_circuits() if name not in _LARGE]
    systems = sorted(stock_learning())
    stock = [_inlined(name, systems[index % len(systems)]) for index, name in enumerate([*small * 3, *_LARGE])]
    own = [_read(SOUND / f"{name}.yaml") for name in ("compact", "wirings")]
    return (*own * (len(stock) // 2), *stock)


@cache
def explicit() -> tuple[str, ...]:
    """Explicit circuits: one by hand, and small ones expanded."""
    own = [cs.dump(cs.expand(cs.load(SOUND / f"{name}.yaml"))) for name in ("compact", "wirings")]
    expanded = [
        cs.dump(cs.expand(cs.load(name, learning=learning)))
        for name, learning in (("mlp", "weight_mirror"), ("lenet", "sign_symmetry"), ("mlp", "backprop"))
    ]
    return (*[_read(SOUND / "explicit.yaml")] * 3, *own, *expanded)


@cache
def learning() -> tuple[str, ...]:
    """Learning systems."""
    return (*[_read(SOUND / "learning.yaml")] * 6, *map(_read, stock_learning().values()))


@cache
def experiments() -> tuple[str, ...]:
    """Experiments: the one with every key, the stock ones, the examples."""
    stock = (*(ROOT / "models" / "experiments").glob("*.yaml"), *(ROOT / "examples").glob("*.yaml"))
    own = [_read(SOUND / f"{name}.yaml") for name in ("experiment", "images")]
    return (*own * 8, *map(_read, sorted(stock)))


@cache
def equations() -> tuple[str, ...]:
    """Every rule in the texts above."""
    found: dict[str, None] = {}
    for text in (*learning(), *explicit()):
        for value in leaves(plain(text)):
            if isinstance(value, str) and re.search(r"(pre|post|partner)\.\w+", value):
                found[value] = None
    return tuple(found)


@cache
def names() -> tuple[str, ...]:
    """Words that mean something somewhere: keys and names of the sound texts, stock names."""
    found: dict[str, None] = dict.fromkeys((*stock_circuits(), *stock_learning(), *sorted(stock_variants())[:5]))
    for text in (*compact()[:2], *explicit()[:1], *learning()[:1], *experiments()[:2]):
        found |= dict.fromkeys(re.findall(r"[A-Za-z_][\w.~]*", text))
    return tuple(found)


@cache
def plain(text: str) -> Any:
    """A sound text as plain data. Whoever changes it makes a copy."""
    return read(text).data


def leaves(value: Any) -> list[Any]:
    """Every value that is no collection."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _inlined(circuit: str, learning: str) -> str:
    text = _read(stock_circuits()[circuit])
    system = "".join(f"  {line}\n" for line in cs.dump(load_learning(learning)).splitlines())
    return re.sub(r"(?m)^learning: .*\n", f"learning:\n{system}", text)
