"""Many layers at once: a map of depth against epochs, colored by angle. An image in the page, one pixel a cell."""

import base64
import json
import math
import struct
import zlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from .charts import INNER, LEFT, TOP, UPRIGHT, number
from .markup import Markup, tag
from .scales import Axis

COLUMNS = 60
LARGEST = 90.0  # degrees; beyond it the color stays
# From mirrored (dark) to unrelated (pale): viridis in nine steps, told apart in every kind of color vision.
COLORS = ("440154", "472d7b", "3b528b", "2c728e", "21918c", "28ae80", "5ec962", "addc30", "fde725")


def cells(table: pd.DataFrame, name: str, x: Axis) -> Markup:
    """The map of a table with the columns `name`, epoch and mean; first layer at the bottom, as depth in other charts
    rises. Between records a cell shows the last one.
    """
    wide = table.pivot(index="depth", columns="epoch", values="mean").sort_index()
    epochs = wide.columns.to_numpy(dtype=float)
    count = min(COLUMNS, max(2, 2 * len(epochs)))
    centers = x.low + (np.arange(count) + 0.5) / count * (x.high - x.low)
    chosen = np.clip(np.searchsorted(epochs, centers, side="right") - 1, 0, None)
    values = wide.to_numpy(dtype=float)[:, chosen]
    names = table.drop_duplicates("depth").set_index("depth")[name].loc[wide.index].astype(str).tolist()
    return tag(
        "image",
        x=number(LEFT), y=number(TOP), width=number(INNER), height=number(UPRIGHT),
        preserveAspectRatio="none",
        href=f"data:image/png;base64,{base64.b64encode(png(values[::-1])).decode('ascii')}",
        class_="cells",
        data_names=json.dumps(names, ensure_ascii=False),
        data_x=json.dumps([round(float(epochs[c]), 3) for c in chosen]),
        data_values=json.dumps([[_short(value) for value in row] for row in values]),
    )  # fmt: skip


def png(values: np.ndarray) -> bytes:
    """Angles as the bytes of an image with a palette; missing ones transparent."""
    ramp = _ramp(255)
    known = np.nan_to_num(np.clip(values / LARGEST, 0, 1)) * 254
    levels = np.where(np.isfinite(values), np.round(known), 255).astype(np.uint8)
    height, width = levels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    blocks = (
        (b"IHDR", header),
        (b"PLTE", ramp + b"\0\0\0"),
        (b"tRNS", b"\xff" * 255 + b"\0"),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_block(kind, content) for kind, content in blocks)


def _short(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 1)


def _block(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _ramp(count: int) -> bytes:
    """So many colors, interpolated, as bytes red, green, blue."""
    anchors = np.array([list(bytes.fromhex(color)) for color in COLORS], dtype=float)
    at = np.linspace(0, len(COLORS) - 1, count)
    channels: Sequence[np.ndarray] = [np.interp(at, np.arange(len(COLORS)), anchors[:, c]) for c in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8).tobytes()
