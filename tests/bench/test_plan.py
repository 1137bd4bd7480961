"""What is compared with what, and what cannot be."""

from pathlib import Path

import pytest

from counterstream.bench import BenchError, plan

SQUARED = """
name: squared
populations: {x: {input: [4]}, y: {transfer: tanh, loss: squared}}
projections: [{from: x, to: y, wiring: {dense: {size: 3}}}]
"""


def test_contenders_and_whom_they_are_measured_against() -> None:
    made = plan("digits_resnet", learning=["backprop", "kolen_pollack"], engines=["torch", "inductor"])
    assert made.contenders == (
        "autograd", "compiled", "backprop/torch", "kolen_pollack/torch", "backprop/inductor", "kolen_pollack/inductor"
    )  # fmt: skip
    assert [made.baseline(name) for name in made.contenders] == [
        None, "autograd", "autograd", "autograd", "compiled", "compiled"
    ]  # fmt: skip
    assert plan("digits_resnet", learning=["backprop"]).against == ("autograd",)


def test_size_is_the_side_of_the_circuits_images() -> None:
    made = plan("resnet18", learning=["backprop"], size=48)
    assert made.load("backprop").populations["image"].input == (3, 48, 48)


def test_an_unknown_contender_is_named() -> None:
    with pytest.raises(BenchError, match=r"unknown contender 'autogard'. Did you mean 'autograd'"):
        plan("digits_resnet", learning=["backprop"], against=["autogard"])


def test_a_loss_that_plain_torch_would_not_share_is_named(tmp_path: Path) -> None:
    (tmp_path / "squared.yaml").write_text(SQUARED)
    with pytest.raises(BenchError, match=r"needs a circuit with one cross-entropy output \(got 'y' with squared\)"):
        plan(str(tmp_path / "squared.yaml"), learning=["backprop"])
