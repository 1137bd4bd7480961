"""What pyproject.toml lists is what the repository holds: a folder left out would miss from every wheel."""

import tomllib
from pathlib import Path

import pytest

import counterstream

ROOT = Path(counterstream.__file__).parent
FOLDERS = ("circuits", "models", "engine", "analysis", "bench", "testing", "cli")

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="installed without its repository")


def setuptools_table() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]


def dotted(folder: Path) -> str:
    return ".".join(("counterstream", *folder.relative_to(ROOT).parts))


def test_every_folder_with_modules_is_a_listed_package() -> None:
    files = (file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
    assert {dotted(file.parent) for file in files} | {"counterstream"} == set(setuptools_table()["packages"])


def test_every_file_of_data_is_in_the_wheel() -> None:
    package_data = setuptools_table()["package-data"]
    shipped = {
        file
        for package, patterns in package_data.items()
        for pattern in patterns
        for file in ROOT.joinpath(*package.split(".")[1:]).glob(pattern)
    }
    data = {
        file
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc")
    }
    assert data - shipped == set()


def test_tests_stay_out_of_the_wheel() -> None:
    listed = {name.split(".")[1] for name in setuptools_table()["packages"] if "." in name}
    assert listed == set(FOLDERS)


def test_every_entry_point_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    targets = [*project["scripts"].values(), *project["entry-points"]["counterstream.engines"].values()]
    modules = project["entry-points"]["pytest11"].values()
    assert [m for m in modules if not ROOT.joinpath(*m.split(".")[1:]).with_suffix(".py").exists()] == []
    for target in targets:
        module, _, name = target.partition(":")
        path = ROOT.joinpath(*module.split(".")[1:])
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        assert name in source.read_text(encoding="utf-8"), f"{target}: {source} does not define {name}"
