"""How long the front end takes: from a name to the programs that an engine runs, and from a shell to an answer.

    python benchmarks/front_end.py                       # a Markdown table
    python benchmarks/front_end.py --json > front_end.json

Every figure is a median over `--repeats` processes of their own, so that nothing is remembered from the run before.
Python and the package are loaded before the clock of a circuit starts; the commands at the end count everything.

load     read the YAML, write blocks out, check, prove: `counterstream.load`
check    the locality proof: `counterstream.check`
expand   the explicit circuit: `counterstream.expand`
compile  the programs of every mode, `predict` and `evaluate`
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

PHASES = ("load", "check", "expand", "compile")
LIMITS = {"resnet50": 1.0, "resnet152": 3.0}
"""Seconds, all phases together."""
COMMANDS = {
    "import counterstream": ("-c", "import counterstream"),
    "counterstream --help": ("-m", "counterstream", "--help"),
    "counterstream check resnet50": ("-m", "counterstream", "check", "resnet50"),
    "counterstream explain resnet50": ("-m", "counterstream", "explain", "resnet50"),
}


def phases(name: str, learning: str) -> dict[str, float]:
    """Seconds of each phase, once, in this process."""
    import counterstream as cs
    from counterstream.engine.compiler.compile import compile_circuit

    load, check, expand = cs.load, cs.check, cs.expand  # which imports them
    laps = [time.perf_counter()]
    circuit = load(name, learning=learning)
    laps.append(time.perf_counter())
    check(circuit)
    laps.append(time.perf_counter())
    expand(circuit)
    laps.append(time.perf_counter())
    compiled = compile_circuit(circuit)
    assert compiled.predict.results
    assert compiled.evaluate.results
    laps.append(time.perf_counter())
    return {phase: end - start for phase, start, end in zip(PHASES, laps, laps[1:], strict=False)}


def measured(name: str, learning: str, repeats: int) -> dict[str, float]:
    """Medians of the phases and of their sum, each time in a new process."""
    runs = [json.loads(_python(__file__, "--once", name, learning).stdout) for _ in range(repeats)]
    found = {phase: median(run[phase] for run in runs) for phase in PHASES}
    return {**found, "total": median(sum(run.values()) for run in runs)}


def from_the_shell(arguments: Sequence[str], repeats: int) -> float:
    """Median seconds of a command, the start of Python included."""

    def once() -> float:
        start = time.perf_counter()
        _python(*arguments)
        return time.perf_counter() - start

    return median(once() for _ in range(repeats))


def _python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    packages = {name: version(name) for name in ("counterstream", "pydantic", "PyYAML", "numpy")}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": processor or platform.processor() or platform.machine(),
        "cores": str(cores),
        "python": platform.python_version(),
        **packages,
    }


def markdown(results: "dict[str, dict[str, dict[str, float]]]", commands: dict[str, float]) -> Iterator[str]:
    """The tables, in seconds."""
    yield f"| circuit | learning system | {' | '.join(PHASES)} | together | limit |"
    yield "|---|---|" + "---:|" * (len(PHASES) + 2)
    for name, systems in results.items():
        for learning, found in systems.items():
            times = " | ".join(f"{found[phase]:.3f}" for phase in (*PHASES, "total"))
            yield f"| {name} | {learning} | {times} | {LIMITS.get(name, float('nan')):g} |"
    yield ""
    yield "| command | seconds |"
    yield "|---|---:|"
    for command, seconds in commands.items():
        yield f"| `{command}` | {seconds:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Times of the front end.")
    parser.add_argument("circuits", nargs="*", default=list(LIMITS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--once", nargs=2, metavar=("CIRCUIT", "LEARNING"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.once:
        print(json.dumps(phases(*given.once)))
        return

    from counterstream.models.library import stock_learning

    results = {n: {s: measured(n, s, given.repeats) for s in stock_learning()} for n in given.circuits}
    commands = {command: from_the_shell(arguments, given.repeats) for command, arguments in COMMANDS.items()}
    if given.json:
        about = {"machine": machine(), "repeats": given.repeats, "unit": "seconds, medians"}
        print(json.dumps({**about, "circuits": results, "commands": commands}, indent=1))
        return
    print("\n".join(markdown(results, commands)))
    print(f"\nMedians of {given.repeats} processes. " + ", ".join(f"{k} {v}" for k, v in machine().items()))


if __name__ == "__main__":
    main()
