"""The machine and its versions; on CUDA also its measured limits."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from ..engine.backends.torch.precision import PRECISIONS, products_in_tf32

_PACKAGES = ("counterstream", "torch", "torchvision", "biotorch", "numpy")
_SIDE, _BYTES, _REPEATS = 8192, 2**30, 10


@dataclass(frozen=True)
class Limits:
    """What this device reaches: flops a second in products of large matrices, bytes a second read and written."""

    flops: float
    bytes: float


def about(device: torch.device) -> dict[str, str]:
    """What a reader needs to know to repeat a measurement."""
    said = {"processor": _processor(), "cores": str(os.cpu_count()), "threads": str(torch.get_num_threads())}
    if device.type == "cuda":
        said["device"] = torch.cuda.get_device_name(device)
        said["cuda"] = str(torch.version.cuda)
        said["cudnn"] = str(torch.backends.cudnn.version())  # type: ignore[no-untyped-call]
        said["cudnn.benchmark"] = str(torch.backends.cudnn.benchmark)
    said |= {"system": platform.platform(), "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            said[package] = version(package)
        except PackageNotFoundError:
            continue
    return said


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def limits(device: torch.device, dtype: str) -> Limits | None:
    """Measured on CUDA; None elsewhere, where the two would say little about a step."""
    if device.type != "cuda":
        return None
    precision = PRECISIONS[dtype]
    a, b = (torch.randn(_SIDE, _SIDE, device=device, dtype=precision.compute) for _ in range(2))
    source = torch.empty(_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    with products_in_tf32(precision.tf32):
        products = _seconds(lambda: torch.mm(a, b))
    return Limits(2 * _SIDE**3 / products, 2 * _BYTES / _seconds(lambda: target.copy_(source)))


def _seconds(call: Callable[[], object]) -> float:
    """Of one call, the best of several rounds of calls."""
    times: list[float] = []
    for _ in range(3):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        call()
        start.record()
        for _ in range(_REPEATS):
            call()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / 1000 / _REPEATS)
    return min(times)
