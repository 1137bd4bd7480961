"""The folder that an experiment writes into: never anybody else's files, and none of its own without being asked."""

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from .claim import NAME as LOCK
from .claim import claim
from .errors import ExperimentError

MANIFEST = ".counterstream.json"  # names the files written here: --overwrite removes these and no others


class OutputFolder:
    """A folder, and the list of what this program wrote into it: files, and folders with the files it keeps there."""

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Create the folder. Raises ExperimentError where it holds anything already, unless `overwrite`: then the files
        that an earlier run wrote here are removed, and all others stay; and where another process writes into it.
        """
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ExperimentError(
                f"{self.path}: the output must be a folder (got a file). Choose another with --output"
            )
        if occupied(self.path):
            if not overwrite:
                raise ExperimentError(
                    f"{self.path}: the output folder must be empty (it is not). "
                    "Choose another with --output, or replace an earlier run's files with --overwrite, "
                    "or go on with that run with --resume"
                )
            claim(self.path)
            self._clear()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExperimentError(f"{self.path}: the output folder cannot be created ({error.strerror})") from None
        claim(self.path)
        self._files: list[str] = []
        self._folders: dict[str, str] = {}

    @classmethod
    def begun(cls, path: str | Path) -> Self:
        """The folder of an earlier run, to be gone on with: its files are ours and stay.

        Raises ExperimentError where it holds no list of them.
        """
        folder = cls.__new__(cls)
        folder.path = Path(path)
        if not (folder.path / MANIFEST).is_file():
            raise ExperimentError(
                f"{folder.path}: must be the output folder of an earlier run (it holds no {MANIFEST}). "
                "Name that folder with --output, or start anew"
            )
        claim(folder.path)
        folder._files, folder._folders = _listed(folder.path)
        return folder

    def file(self, name: str) -> Path:
        """The path of a file about to be written. Raises ExperimentError where a file of that name is not ours."""
        path = self.path / name
        if path.exists() and name not in self._files:
            raise ExperimentError(
                f"{path}: the file is not one that Counterstream wrote. Move it, or choose another --output"
            )
        if name not in self._files:
            self._files.append(name)
            self._note()
        return path

    def folder(self, name: str, files: str) -> Path:
        """The path of a folder about to be made, in which files that match the glob `files` are ours. Raises
        ExperimentError where something of that name is not ours.
        """
        path = self.path / name
        if path.exists() and name not in self._folders:
            raise ExperimentError(
                f"{path}: the folder is not one that Counterstream made. Move it, or choose another --output"
            )
        if name not in self._folders:
            self._folders[name] = files
            self._note()
        return path

    def write(self, name: str, text: str) -> None:
        """Write one of our files so that it holds what it held before or all of the text. Raises ExperimentError where
        neither can be done, or a file of that name is not ours.
        """
        _write(self.file(name), text)

    def _note(self) -> None:
        content = {"files": self._files, "folders": self._folders}
        _write(self.path / MANIFEST, json.dumps(content, indent=1) + "\n")

    def _clear(self) -> None:
        files, folders = _listed(self.path)
        for name in files:
            (self.path / name).unlink(missing_ok=True)
        for name, pattern in folders.items():
            folder = self.path / name
            if folder.is_symlink() or not folder.is_dir():
                continue
            for path in folder.glob(pattern):
                if path.is_symlink() or path.is_file():
                    path.unlink()
            with suppress(OSError):  # somebody else's files are in it
                folder.rmdir()
        (self.path / MANIFEST).unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise ExperimentError(unwritable(path, error)) from None


def unwritable(path: Path, error: OSError) -> str:
    """What to say of a file of an experiment that a disk did not take."""
    return (
        f"{path}: cannot be written ({error.strerror or error}). What there was is as it was: make room, then go on "
        "with --resume"
    )


def occupied(folder: Path) -> bool:
    """Whether a folder holds anything, the mark of whoever holds it left aside."""
    return folder.is_dir() and any(path.name != LOCK for path in folder.iterdir())


def file_name(text: str) -> str:
    """A name of the user's as part of a file's."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text)


def _listed(folder: Path) -> tuple[list[str], dict[str, str]]:
    """What a folder's list names, as far as it can be believed: plain names, nothing outside the folder."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [], {}
    content = content if isinstance(content, Mapping) else {}
    files, folders = content.get("files"), content.get("folders")
    return (
        [name for name in files if _plain(name)] if isinstance(files, list) else [],
        {name: pattern for name, pattern in folders.items() if _plain(name) and _plain(pattern)}
        if isinstance(folders, Mapping)
        else {},
    )


def _plain(name: Any) -> bool:
    return isinstance(name, str) and name not in ("", "..") and Path(name).name == name
