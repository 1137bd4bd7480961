"""What the torch engine's graphs do not do: passes over weights that one call can save, and memory kept too long."""

import re

import pytest
import torch
from torch import fx

import counterstream as cs

from ..nets import SYSTEMS, residual, residual_batch, simulate


def observed(system: str, **how: str) -> fx.GraphModule:
    sim = simulate(residual(learning=system, decay=0.01), consolidation=cs.Consolidation(momentum=0.9), **how)
    sim.step(*residual_batch())
    return sim._stepper("engaged")._observe.module


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_drive_is_divided_and_scaled_in_one_pass_where_it_lies(system: str, dtype: str) -> None:
    graph = observed(system, dtype=dtype).graph
    totals = [node for node in graph.nodes if node.target in (torch.mul, torch.div) and "out" in node.kwargs]
    assert len(totals) == 7  # one a correlation
    for node in totals:
        assert node.kwargs["out"] is node.args[0]
        assert set(node.args[0].users) == {node}
        assert all(user.op == "output" for user in node.users)


def test_activities_are_freed_at_their_last_use() -> None:
    """The code of a graph drops each value in the line that reads it last; only results reach the end."""
    module = observed("kolen_pollack")
    returned = set(re.findall(r"\w+", module.code.rpartition("return")[2]))
    made = {node.name for node in module.graph.nodes if node.op == "call_function"}
    for name in made - returned:
        assert re.search(rf"\b{name} = (\w+ = )*None", module.code), name
