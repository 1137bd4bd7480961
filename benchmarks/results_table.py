"""The table of docs/results.md from a demo's summary.json: means with 95 % intervals over seeds, in Markdown.

    counterstream demo --seeds 5 --output runs/five
    python benchmarks/results_table.py runs/five/summary.json

Intervals are Student's, of the mean over seeds; they cover the draw of initial weights, sample order and noise, on one
fixed split of the data.
"""

import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

HEADINGS = (
    "system",
    "transports weights",
    "test accuracy, %",
    "median matrix angle",
    "largest matrix angle",
    "median delta angle",
    "time per step over backprop's",
)


def interval(values: Sequence[float], digits: int = 1, unit: str = "") -> str:
    """The mean and half the width of its 95 % interval."""
    from scipy.stats import t

    if max(values) == min(values):
        return f"{values[0]:.{digits}f}{unit}"
    half = t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5
    return f"{mean(values):.{digits}f} ± {half:.{digits}f}{unit}"


def row(system: dict[str, Any], runs: list[dict[str, Any]]) -> list[str]:
    """One system over its seeds."""
    own = [run for run in runs if run["system"] == system["system"]]
    base = {run["seed"]: run["seconds_per_step"] for run in runs if run["system"] == "backprop"}
    return [
        system["system"],
        "yes" if system["transports_weights"] else "no",
        interval([100 * run["test_accuracy"] for run in own]),
        interval([run["median_matrix_angle"] for run in own], unit="°"),
        interval([run["largest_matrix_angle"] for run in own], unit="°"),
        interval([run["median_delta_angle"] for run in own], unit="°"),
        interval([run["seconds_per_step"] / base[run["seed"]] for run in own], digits=2),
    ]


def main() -> None:
    summary = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    rows = [row(system, summary["runs"]) for system in summary["systems"]]
    for cells in (HEADINGS, ["---"] * len(HEADINGS), *rows):
        print(f"| {' | '.join(cells)} |")
    seeds = summary["systems"][0]["seeds"]
    print(f"\nn = {len(seeds)} seeds a system. Python {platform.python_version()}, {platform.machine()}.")


if __name__ == "__main__":
    main()
