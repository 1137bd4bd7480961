"""docs/exchange.md is true: its Python runs, block after block."""

from pathlib import Path

import pytest

import counterstream

from ...test_readme import BLOCK, run

PAGE = Path(counterstream.__file__).parent / "docs" / "exchange.md"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="installed without its repository")


@pytest.mark.slow
def test_the_page_runs(tmp_path: Path) -> None:
    blocks = [(kind, name, text) for kind, name, text in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]
    assert [(kind, name) for kind, name, _ in blocks] == [
        ("python", name) for name in ("in", "learn", "out", "stock", "refused")
    ]
    done = run("-c", "\n".join(f"print('# {name}')\n{text}" for _, name, text in blocks), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    printed = dict(part.split("\n", 1) for part in done.stdout.split("# ")[1:])
    assert "32 populations\nlayer1.0.conv1.weight" in printed["in"]
    assert "local: True" in printed["learn"]
    assert "tensor(0.)" in printed["out"]
    assert "(SqueezeExcitation): 'mul' cannot be said" in printed["refused"]
