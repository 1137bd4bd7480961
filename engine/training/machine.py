"""The machine that a run is computed on: what is settled there, and what a run says of it."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("counterstream", "torch", "numpy", "h5py")


def environment(device: str = "cpu") -> dict[str, str]:
    """Versions and machine, with the GPU if `device` is one: what somebody else would need to judge a difference."""
    found = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found | {"cores": str(os.cpu_count())} | _gpu(device)


def _gpu(device: str) -> dict[str, str]:
    """Of a GPU its name, and the libraries that compute there."""
    import torch

    from ..backends.torch.engine import torch_device

    place = torch_device(device)
    if place.type != "cuda":
        return {}
    return {
        "gpu": torch.cuda.get_device_name(place),
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),
    }


def use_threads(threads: int | None) -> None:
    """Small circuits run faster on one thread than on several that wait for each other."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def settle_on(device: str) -> None:
    """On a GPU, let cuDNN try which of its convolutions are fastest for each shape, of which a run has few; and make
    the GPU this process's own, for threads that pin memory take no other name of it.
    """
    if device.startswith("cuda"):
        import torch

        torch.backends.cudnn.benchmark = True
        if ":" in device:
            torch.cuda.set_device(device)
