"""Painting a scene as one web page that needs no network, whose blocks open and close by mouse and keyboard."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from .corners import RADIUS
from .scene import At, Frame, Group, Scene, Wire
from .style import COLORS, SANS
from .svg import css, frame, number, path, shape, text, title, wire_attributes

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>
{css}
</style>
</head>
<body>
<div id="controls" hidden><button type="button" id="open">Open all blocks</button>
<button type="button" id="close">Close all blocks</button>
<span>A block opens and closes on a click, or with Tab and Enter.</span></div>
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="group">
<title>{title}</title>
{items}
</svg>
<script type="application/json" id="scene">{scene}</script>
<script>
{script}</script>
</body>
</html>
"""
STYLE = """body{{margin:0;background:{page};color:{ink};font:13px {sans}}}
#controls{{padding:14px 24px 0}} #controls span{{color:{muted};margin-left:8px}}
button{{font:inherit;color:inherit;background:none;cursor:pointer}}
button{{border:1px solid {plain};border-radius:6px;padding:4px 10px}}
svg{{display:block;max-width:100%;height:auto;margin:0 auto}}
[data-toggles]{{cursor:pointer;outline:none}} [data-toggles]:hover text.bold{{text-decoration:underline}}
[data-toggles]:focus-visible text.bold{{text-decoration:underline}}
[data-toggles]:focus-visible rect[rx="6"],[data-toggles]:focus-visible polygon{{stroke:{ink};stroke-width:2px}}"""


def as_html(scene: Scene) -> str:
    """The scene as the text of an HTML file. Without scripts it shows the blocks as they are."""
    return PAGE.format(
        title=text(scene.summary),
        css="\n".join((css(), _style(0), f"@media (prefers-color-scheme: dark){{{_style(1)}}}")),
        width=number(scene.width),
        height=number(scene.height),
        items="\n".join(line for index, item in enumerate(scene.items) for line in _painted(scene, index, item)),
        scene=json.dumps(_data(scene), separators=(",", ":")).replace("<", "\\u003c"),
        script=files(__package__ or "").joinpath("fold.js").read_text(encoding="utf-8"),
    )


def _style(index: int) -> str:
    return STYLE.format(sans=SANS, **{role: COLORS[role][index] for role in ("page", "ink", "muted", "plain")})


def _painted(scene: Scene, index: int, item: Group | Wire | Frame) -> Iterator[str]:
    seen = scene.seen(item.when)
    more = f' data-item="{index}"' + ("" if seen else ' style="display:none"')
    match item:
        case Group():
            place = f' transform="translate(0 {number(scene.y(item.at))})"' if seen else ""
            yield f"<g{more}{place}{_button(scene, item)}>{title(item.tip)}"
            yield from map(shape, item.shapes)
            yield "</g>"
        case Wire():
            d = f' d="{path([(x, scene.y(at)) for x, at in item.points])}"' if seen else ""
            yield f"<path{more}{d}{wire_attributes(item)}>{title(item.tip)}</path>"
        case Frame():
            top, bottom = scene.edges[item.node] if seen else (0.0, 0.0)
            yield frame(item, top, bottom, more)


def _button(scene: Scene, item: Group) -> str:
    """What makes a group a button, for the keyboard and for those who hear the page."""
    if item.toggles is None:
        return ""
    closed = item.when.closed is not None
    does = "Open" if closed else "Close"
    name = text(f"{does} {scene.slots[item.toggles].label}")
    state = f'aria-expanded="{"false" if closed else "true"}" aria-label="{name}"'
    return f' data-toggles="{item.toggles}" tabindex="0" role="button" {state}'


def _data(scene: Scene) -> dict[str, Any]:
    """What the script needs: the heights of the nodes, and what hangs on them."""
    return {
        "width": round(scene.width, 1),
        "above": scene.above,
        "below": scene.below,
        "least": scene.least,
        "radius": RADIUS,
        "opened": sorted(scene.opened),
        "nodes": [
            {"height": slot.height, "parent": slot.parent, "children": slot.children, "gaps": slot.gaps}
            for slot in scene.slots
        ],
        "items": [_item(item) for item in scene.items],
    }


def _item(item: Group | Wire | Frame) -> dict[str, Any]:
    said: dict[str, Any] = {"inside": item.when.inside, "closed": item.when.closed}
    match item:
        case Group():
            return said | {"at": _at(item.at)}
        case Wire():
            return said | {"points": [(round(x, 2), _at(at)) for x, at in item.points]}
        case Frame():
            return said | {"frame": item.node}


def _at(at: At) -> tuple[int, int, float]:
    return at.node, int(at.edge == "bottom"), round(at.offset, 2)
