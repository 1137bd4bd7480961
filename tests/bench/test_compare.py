"""A benchmark of a tiny net, start to end; and that the contenders train the same network on the same data."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from counterstream.bench import Plan, as_json, as_markdown, compare, plan
from counterstream.bench.contenders import Contender, batch_of, contender
from counterstream.bench.memory import peak

TINY = """
name: tiny
populations:
  image: {input: [2, 6, 6]}
  v1: {normalize: batch, transfer: relu}
  answer: {transfer: softmax}
projections:
  - {from: image, to: v1, wiring: {conv: {channels: 4, kernel: 3, stride: 2}}}
  - {from: v1, to: answer, wiring: {dense: {size: 3}}}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return str(path)


def made(circuit: str, **how: object) -> Plan:
    return plan(circuit, **{"learning": ["backprop", "kolen_pollack"], "batch": 4, "steps": 3, **how})  # type: ignore[arg-type]


def test_a_contest(tiny: str) -> None:
    heard: list[str] = []
    before = torch.backends.cudnn.benchmark
    contest = compare(made(tiny, against=["autograd", "biotorch"]), heard.append, memory=False)
    assert torch.backends.cudnn.benchmark == before
    names = [one.name for one in contest.measured]
    assert [name for name in names if name != "biotorch"] == ["autograd", "backprop/torch", "kolen_pollack/torch"]
    if find_spec("biotorch") is None:
        assert contest.absent == {"biotorch": "BioTorch is not installed: pip install biotorch"}
    assert all(
        one.seconds.n == 3 and one.seconds.low <= one.seconds.median <= one.seconds.high for one in contest.measured
    )
    assert contest["autograd"].ratio is None
    ours = contest["kolen_pollack/torch"]
    assert ours.baseline == "autograd"
    assert ours.ratio is not None
    assert ours.flops
    assert ours.moved
    assert "timing 3 steps each, in turns" in heard

    read = json.loads(as_json(contest))
    assert read["measured"][1]["seconds"]["n"] == 3
    assert read["plan"]["batch"] == 4
    assert {"processor", "torch", "threads"} <= read["machine"].keys()
    table = as_markdown(contest)
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(names)
    assert len({row.count("|") for row in rows}) == 1
    assert f"{ours.ratio.median:.3f}" in table


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_backprop_and_autograd_train_the_same_net(tiny: str, dtype: str) -> None:
    """The same seed draws the same weights, and from these both have the same losses, step by step."""
    how = made(tiny, dtype=dtype)
    batch = batch_of(how)
    one, other = (contender(how, name, batch) for name in ("autograd", "backprop/torch"))
    for _ in range(5):
        assert one.step() == pytest.approx(other.step(), rel=1e-10 if dtype == "float64" else 0.02)


@pytest.mark.skipif(find_spec("torchvision") is None, reason="torchvision is not installed")
def test_stock_residual_nets_meet_torchvisions_own() -> None:
    def autograd(**how: object) -> Contender:
        wanted = made("resnet18", size=32, batch=2, **how)
        return contender(wanted, "autograd", batch_of(wanted))

    assert autograd().what.startswith("torchvision.models.resnet18, ")
    assert autograd(options={"width": 0.25}).what.startswith("counterstream.to_torch, ")


@pytest.mark.slow
def test_compiled_contenders(tiny: str) -> None:
    contest = compare(made(tiny, engines=["inductor"]), memory=False)
    assert [one.name for one in contest.measured][:2] == ["autograd", "compiled"]
    assert contest["backprop/inductor"].baseline == "compiled"


@pytest.mark.slow
def test_peak_memory_of_kolen_pollack_is_that_of_backprop_and_b_and_its_momentum(tiny: str) -> None:
    backprop, kolen_pollack = (peak(made(tiny), f"{name}/torch") for name in ("backprop", "kolen_pollack"))
    b = 4 * (3 * 4 * 3 * 3)  # bytes of v1->answer's; the first projection has none
    assert kolen_pollack.tensors - backprop.tensors == 2 * b
    assert backprop.process is None or 1000 < backprop.process < 2**30


@pytest.mark.slow
def test_tensors_are_not_counted_where_an_engine_has_others(tiny: str) -> None:
    assert peak(made(tiny, engines=["reference"]), "backprop/reference").tensors is None
