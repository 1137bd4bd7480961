"""A contest as JSON and as a Markdown table."""

import json
from dataclasses import asdict

from .results import Contest, Measured
from .timing import Spread

_HEADINGS = ("contender", "ms a step", "images/s", "over", "ratio", "tensors MiB", "process MiB", "GFLOP", "GB moved")


def as_json(contest: Contest) -> str:
    """All figures: seconds, bytes, flops."""
    return json.dumps(asdict(contest), indent=1) + "\n"


def as_markdown(contest: Contest) -> str:
    """A table with what it takes to repeat it below. Medians with quartiles in brackets."""
    plan = contest.plan
    options = ", ".join(f"{name}={value}" for name, value in plan.options.items())
    title = f"## {plan.circuit}{f' ({options})' if options else ''}, batch {plan.batch}, {plan.dtype}, {plan.device}"
    headings = (*_HEADINGS, *(("% of flop/s", "% of byte/s") if contest.limits else ()))
    rows = [_row(contest, one) for one in contest.measured]
    lines = [
        title,
        "",
        *("| " + " | ".join(cells) + " |" for cells in (headings, ["---"] * len(headings), *rows)),
        "",
        f"Medians of {plan.steps} steps each, taken in turns in one process, quartiles in brackets; ratios turn by "
        "turn. Learning systems: the engaged step alone; modes without data run besides. Peak memory, in processes of "
        "its own: live tensors in a step; on a CPU also weights and traces plus what a process grew by in its first "
        "steps.",
        *(f"\nLeft out: {name}. {why}" for name, why in contest.absent.items()),
        "",
        *(f"- {one.name}: {one.what}" for one in contest.measured),
        "",
        "; ".join(f"{name} {value}" for name, value in contest.machine.items()),
    ]
    if contest.limits:
        reach = contest.limits
        lines.append(f"Measured limits: {reach.flops / 1e12:.0f} TFLOP/s in products, {reach.bytes / 1e9:.0f} GB/s.")
    return "\n".join(lines) + "\n"


def _row(contest: Contest, one: Measured) -> list[str]:
    seconds = one.seconds
    row = [
        one.name,
        _spread(Spread(seconds.median * 1e3, seconds.low * 1e3, seconds.high * 1e3, seconds.n), 1),
        f"{one.images_per_second(contest.plan.batch):.0f}",
        one.baseline or "-",
        "-" if one.ratio is None else _spread(one.ratio, 3),
        *_mebibytes(one),
        "-" if one.flops is None else f"{one.flops / 1e9:.3g}",
        "-" if one.moved is None else f"{one.moved / 1e9:.3g}",
    ]
    if contest.limits:
        for amount, limit in ((one.flops, contest.limits.flops), (one.moved, contest.limits.bytes)):
            row.append("-" if amount is None else f"{100 * amount / seconds.median / limit:.0f}")
    return row


def _mebibytes(one: Measured) -> tuple[str, str]:
    found = (None, None) if one.memory is None else (one.memory.tensors, one.memory.process)
    tensors, process = ("-" if bytes_ is None else f"{bytes_ / 2**20:.0f}" for bytes_ in found)
    return tensors, process


def _spread(found: Spread, digits: int) -> str:
    return f"{found.median:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"
