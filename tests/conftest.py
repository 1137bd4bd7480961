"""What holds for every test: few threads, full float32 precision, no display, reproducible examples in CI."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Set before anything imports torch, and inherited by the commands that tests start. Nothing here imports
# torch: a test of the declarations must not wait for it.
# More threads than cores make small contractions slower, not faster: one each where tests run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")
# TF32 keeps 10 bits of mantissa: no engine would agree with another.
os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
# Figures are drawn to files, not to a display.
os.environ.setdefault("MPLBACKEND", "Agg")

# Time on a shared machine says nothing about an example, so no deadline and no verdict on slow generation.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# In CI the same commit gives the same verdict; new examples are looked for where a person can follow them up.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))


class RootFolder:
    """Collects the repository's root as a plain folder.

    The root is the import package, so pytest would import it a second time, under the folder's name, and fail
    where that name is no identifier. A plugin of its own: hooks of a conftest hold only below its folder.
    """

    @staticmethod
    def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        return pytest.Dir.from_parent(parent, path=path) if path == parent.config.rootpath else None


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(RootFolder())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `gpu` where there is no CUDA device; torch is imported only for them."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
