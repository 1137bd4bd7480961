"""/metrics: a table of numbers."""

from .attributes import COLUMN
from .inspection import INDEX, Inspection


def check_metrics(file: Inspection) -> None:
    """Every dataset beside the index is a column with a rank of its own."""
    file.links("metrics")
    positions = dict[str, int]()
    for name in file.store.datasets("metrics"):
        if name not in INDEX:
            said, _ = file.column("metrics", ("metrics", name), COLUMN)
            positions |= {name: said["position"]} if "position" in said else {}
    file.ranks(positions, "metrics")
