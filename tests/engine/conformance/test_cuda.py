"""The torch engine on a GPU against the reference: every stock learning system, in float64."""

import numpy as np
import pytest

import counterstream as cs
from counterstream.models import stock_learning


@pytest.mark.gpu
@pytest.mark.parametrize("system", sorted(stock_learning()))
def test_cuda_equals_reference(system: str) -> None:
    circuit = cs.load("digits_resnet", learning=system)
    rng = np.random.default_rng(0)
    images, labels = rng.standard_normal((16, 1, 8, 8)), rng.integers(0, 10, 16)
    how = cs.Consolidation(rate=0.05, momentum=0.9)
    sims = [
        cs.compile(circuit, engine="reference", dtype="float64", consolidation=how),
        cs.compile(circuit, engine="torch", dtype="float64", device="cuda", consolidation=how),
    ]
    for sim in sims:
        if "mirror" in sim.compiled.modes:
            noise = {
                wanted.name.removeprefix("noise/"): np.random.default_rng(1).standard_normal(
                    (wanted.maps, *wanted.shape)
                )
                for wanted in sim.compiled.modes["mirror"].noise
            }
            sim.run("mirror", noise=noise)
        for _ in range(2):
            sim.step(images, labels)
    expected, found = (sim.state_dict() for sim in sims)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-9, err_msg=name)
