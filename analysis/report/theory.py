"""Measured against theory: how |W - B| shrinks in Kolen-Pollack, how small the angles of a mirror get."""

from collections.abc import Sequence

from .charts import Line, chart, values_of
from .evidence import System, last
from .figures import SHADES, epochs_axis
from .markup import Markup, counted, join, tag
from .scales import degrees, linear, logarithmic, ranks

KOLEN_POLLACK = """Kolen-Pollack: W and B receive the same drive, so their difference shrinks by decay, rate and
momentum alone, the same in every layer, whatever the data. Lines: layers of the first run; dashed: the recurrence."""
MIRROR = """Weight mirror: the angle at which B rests follows from how much noise it averages, if W rests, too; while W
moves, B lags behind and stands at a larger one."""


def theory(systems: Sequence[System]) -> Markup:
    """A chart for each system of which theory says something; nothing where there is none."""
    shrinking = [_shrinking(system) for system in systems if len(system.judged[0].shrinking)]
    mirroring = [_mirroring(system) for system in systems if len(system.judged[0].mirroring)]
    found = [(text, told) for text, told in ((KOLEN_POLLACK, shrinking), (MIRROR, mirroring)) if told]
    if not found:
        return Markup()
    paragraphs = [tag("p", " ".join([text, *(sentence for _, sentence in told)])) for text, told in found]
    return join([*paragraphs, tag("div", *(drawn for _, told in found for drawn, _ in told), class_="panels")])


def _shrinking(system: System) -> tuple[Markup, str]:
    """|W - B| over its start against epochs, and how far it is off theory."""
    table = system.judged[0].shrinking
    deepest = max(int(table["depth"].max()), 1)
    lines = [
        Line(
            name=str(name),
            x=rows["epoch"].tolist(),
            y=rows["ratio"].tolist(),
            look=f"layer d{int(rows['depth'].iloc[0]) * (SHADES - 1) // deepest}",
        )
        for name, rows in table.groupby("projection", sort=False)
    ]
    expected = table.groupby("epoch")["expected_ratio"].mean()
    lines.append(Line(name="theory", x=expected.index.tolist(), y=expected.tolist(), look="theory"))
    off = (table["ratio"] / table["expected_ratio"] - 1).abs().max()
    sentence = (
        f"{system.name}: {counted(len(lines) - 1, 'projection')}, off by at most {100 * off:.2g} % at any record."
    )
    title, y = f"{system.name}: |W - B| over its start", logarithmic("ratio", values_of(lines))
    return chart(title, lines, epochs_axis([system]), y, summary=sentence), sentence


def _mirroring(system: System) -> tuple[Markup, str]:
    """The angle of each projection at the end, the one that theory expects of a resting W, and their medians."""
    table = last(system.judged[0].mirroring).sort_values("depth")
    names = table["projection"].astype(str).tolist()
    pairs = (("measured", "angle_degrees", f"system {system.look}"), ("theory", "expected_degrees", "theory"))
    lines = [
        Line(name=name, x=range(len(table)), y=table[column].tolist(), look=look, dots=True, names=names)
        for name, column, look in pairs
    ]
    values = list(values_of(lines))
    y = linear("angle", values, unit="°") if max(values) < 45 else degrees("angle", values)
    x = ranks("projection, in the order of the forward pass", len(table))
    medians = table["angle_degrees"].median(), table["expected_degrees"].median()
    sentence = f"{system.name}: median {medians[0]:.1f}° at the end, expected {medians[1]:.1f}°."
    return chart(f"{system.name}: angles at the end", lines, x, y, summary=sentence), sentence
