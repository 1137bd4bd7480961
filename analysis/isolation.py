"""Validation in a process of its own: HDF5 is a C library, and a damaged file may end the process that opens it."""

import json
import subprocess
import sys
from os import PathLike

from .errors import AnalysisError
from .validation import Problem, validate


def isolated_validation(path: str | PathLike[str], *, seconds: float = 600) -> list[Problem]:
    """As `validate`, but a crash or a hang of the HDF5 library comes back as a problem of the file."""
    command = [sys.executable, "-m", __name__, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return [Problem("/", f"the HDF5 library must come to an end with it (got none within {seconds:g} s)")]
    if done.returncode < 0:
        return [Problem("/", f"the HDF5 library must survive it (got signal {-done.returncode})")]
    try:
        told = json.loads(done.stdout)
    except ValueError:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return [Problem("/", f"the check must come to its end (got {lines[-1]})")]
    if "error" in told:
        raise AnalysisError(told["error"])
    return [Problem(*problem) for problem in told["problems"]]


def main() -> None:
    """The child: prints what it finds as JSON."""
    try:
        print(json.dumps({"problems": [[problem.place, problem.what] for problem in validate(sys.argv[1])]}))
    except AnalysisError as error:
        print(json.dumps({"error": str(error)}))


if __name__ == "__main__":
    main()
