"""What the torch engine's graphs do not do: passes over weights that one call can save, and memory kept too long."""

import re

import pytest
import torch
from torch import fx

import counterstream as cs
from counterstream.engine.backends.torch.placing import check_order, place

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


def test_drives_do_not_wait_for_each_other() -> None:
    """With states in place, each drive is consolidated and dropped before the next but one is there."""
    sim = simulate(residual(decay=0.01), consolidation=cs.Consolidation(momentum=0.9), in_place=True)
    sim.step(*residual_batch())
    nodes = list(sim._stepper("engaged")._whole.module.graph.nodes)
    place = {node: position for position, node in enumerate(nodes)}
    placed = [node for node in nodes if "out" in node.kwargs]
    drives = [node for node in placed if node.kwargs["out"] is node.args[0] and node.args[0].op != "placeholder"]
    assert len(drives) == 7
    spans = [(place[node.args[0]], max(place[user] for user in node.users)) for node in drives]
    assert max(sum(start <= at <= end for start, end in spans) for at in range(len(nodes))) <= 2


def test_a_read_after_a_write_is_an_error() -> None:
    graph = fx.Graph()
    home, other = graph.placeholder("home"), graph.placeholder("other")
    for node in (home, other):
        node.meta["shape"] = (2,)
    new = graph.call_function(torch.add, (home, other))
    new.meta["shape"] = (2,)
    graph.output((new,))
    place(graph, [(new, home)], fused=True)
    assert new.kwargs["out"] is home
    with graph.inserting_after(new):
        graph.call_function(torch.mul, (home, 2))
    with pytest.raises(AssertionError, match="would read home after it was overwritten"):
        check_order(graph, [home])


def test_nothing_is_copied_for_its_layout() -> None:
    """Where only the correlation is wanted, what stands in for the kernel is laid out like a kernel; errors that direct
    feedback spreads over positions get memory, and with it a layout, before convolutions read them."""
    sim = simulate(residual(learning="direct_feedback_alignment"), dtype="float32", in_place=True)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        sim.step(*residual_batch())
    parents = [
        event.cpu_parent.name for event in profile.events() if event.name == "aten::contiguous" and event.cpu_parent
    ]
    assert "aten::convolution_backward" not in parents
