"""What a file says of the run that it holds, whatever is recorded of it."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

GIT_SECONDS = 5.0  # git answers in some milliseconds, or hangs on a dead network folder


def package_version() -> str:
    """The version of Counterstream; empty where it runs uninstalled."""
    try:
        return version("counterstream")
    except PackageNotFoundError:
        return ""


@dataclass(frozen=True, kw_only=True)
class GitState:
    """The repository that a run was started in: its commit, empty where there is none, and whether files under its
    care were changed since.
    """

    commit: str = ""
    dirty: bool = False

    @classmethod
    def of(cls, folder: str | Path = ".") -> "GitState":
        """The state of the repository that `folder` lies in; empty without one, or without git."""
        commit = _git(folder, "rev-parse", "HEAD")
        if not commit:
            return cls()
        return cls(commit=commit, dirty=bool(_git(folder, "status", "--porcelain", "--untracked-files=no")))


@dataclass(frozen=True, kw_only=True)
class About:
    """One run: its explicit circuit and its experiment as YAML, their names, the seed, and what it ran on."""

    circuit: str
    circuit_name: str
    learning: str
    seed: int
    transports_weights: bool = False
    experiment: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    package_version: str = field(default_factory=package_version)
    git: GitState = GitState()


def _git(folder: str | Path, *arguments: str) -> str:
    """What git answers, stripped; empty where it fails. Nothing is written, and no hook of the repository runs."""
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=GIT_SECONDS, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
