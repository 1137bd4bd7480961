"""What a run says of the machine that it was computed on, and what it settles there."""

import pytest
import torch

from counterstream.engine.training.machine import environment, settle_on


def test_on_a_cpu_nothing_is_asked_of_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", pytest.fail)
    assert "gpu" not in environment("cpu")


def test_a_gpu_is_named_with_its_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"card {device.index}")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91900)
    assert environment("cuda:3")["gpu"] == "card 3"
    assert environment("auto").keys() >= {"gpu", "cuda", "cudnn", "torch"}


@pytest.mark.parametrize(
    ("device", "tried", "own"), [("cpu", False, []), ("cuda", True, []), ("cuda:1", True, ["cuda:1"])]
)
def test_on_a_gpu_kernels_are_chosen_by_trial(
    monkeypatch: pytest.MonkeyPatch, device: str, tried: bool, own: list[str]
) -> None:
    found: list[str] = []
    monkeypatch.setattr(torch.cuda, "set_device", found.append)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    settle_on(device)
    assert torch.backends.cudnn.benchmark is tried
    assert found == own
