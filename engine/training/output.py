"""The folder that an experiment writes into: never anybody else's files, and none of its own without being asked."""

import json
from pathlib import Path

from .errors import ExperimentError

MANIFEST = ".counterstream.json"  # names the files written here: --overwrite removes these and no others


class OutputFolder:
    """A folder and the list of files that this program wrote into it."""

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Create the folder. Raises ExperimentError where it holds anything already, unless `overwrite`: then
        the files
        that an earlier run wrote here are removed, and all others stay."""
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ExperimentError(
                f"{self.path}: the output must be a folder (got a file). Choose another with --output"
            )
        if self.path.is_dir() and any(self.path.iterdir()):
            if not overwrite:
                raise ExperimentError(
                    f"{self.path}: the output folder must be empty (it is not). "
                    "Choose another with --output, or replace an earlier run's files with --overwrite"
                )
            self._clear()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExperimentError(f"{self.path}: the output folder cannot be created ({error.strerror})") from None
        self._written: list[str] = []

    def file(self, name: str) -> Path:
        """The path of a file about to be written. Raises ExperimentError where a file of that name is not ours."""
        path = self.path / name
        if path.exists() and name not in self._written:
            raise ExperimentError(
                f"{path}: the file is not one that Counterstream wrote. Move it, or choose another --output"
            )
        if name not in self._written:
            self._written.append(name)
            (self.path / MANIFEST).write_text(json.dumps({"files": self._written}, indent=1) + "\n", encoding="utf-8")
        return path

    def _clear(self) -> None:
        manifest = self.path / MANIFEST
        try:
            names = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        except (OSError, ValueError, KeyError, TypeError):
            return
        for name in names:
            if isinstance(name, str) and Path(name).name == name:  # a plain name: nothing outside this folder
                (self.path / name).unlink(missing_ok=True)
        manifest.unlink()
