"""docs/data.md shows the settings with their defaults, and reads a packed file by NumPy alone."""

import re
from pathlib import Path

import pytest
import yaml

import counterstream
from counterstream.engine.data.images.imagenet import ImageNet
from counterstream.engine.data.images.packing import Packing, pack

TEXT = (Path(counterstream.__file__).parent / "docs" / "data.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)


def test_every_setting_is_shown_with_its_default() -> None:
    (shown,) = [block for block in blocks("yaml") if "mixup" in block]
    settings = yaml.safe_load(shown.partition("\n")[2])["data"]["imagenet"]
    assert list(settings) == list(ImageNet.model_fields)
    assert ImageNet(**settings) == ImageNet(folder=settings["folder"])


def test_numpy_alone_reads_a_packed_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = blocks("python")
    (tmp_path / "data").mkdir()
    pack(folder, tmp_path / "data" / "fractals.pack", Packing(side=16))
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert capsys.readouterr().out.startswith("f0000 (")
