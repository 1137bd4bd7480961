"""Costs of operations and programs, by hand and against what others count."""

import math
import weakref
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

import counterstream as cs
from counterstream.circuits.declarations import LearningSystem
from counterstream.circuits.declarations.projection import AnyWiring
from counterstream.circuits.transfers import TRANSFERS
from counterstream.circuits.wiring import Conv, Dense, Geometry, OneToOne, Pool
from counterstream.circuits.writing import as_data
from counterstream.engine.backends.torch import TorchEngine
from counterstream.engine.compiler.builder import ProgramBuilder
from counterstream.engine.compiler.circuit_cost import PREDICT, CircuitCost, circuit_cost
from counterstream.engine.compiler.compile import compile_circuit
from counterstream.engine.compiler.cost import COUNTING, GATED_BY_RATE, Cost
from counterstream.engine.compiler.operations import OPERATIONS
from counterstream.engine.compiler.program_cost import OperationCost, ProgramCost, by_operation, program_cost
from counterstream.engine.simulator import Simulator
from counterstream.models.library import load_learning

from ..nets import SYSTEMS


def costs_of(circuit: str, batch: int = 2, learning: str | LearningSystem | None = None, **options: Any) -> CircuitCost:
    compiled = compile_circuit(cs.load(circuit, learning=learning, options=options))
    return circuit_cost(compiled, batch=batch, itemsize=4)


def projected(geometry: Geometry, batch: int = 1) -> OperationCost:
    """The cost of one forward projection."""
    made = ProgramBuilder("one projection")
    pre = made.input("data/x", geometry.lower, role="data", batched=True)
    weighted = geometry.weight_shape is not None
    weight = made.input("weights/p", geometry.weight_shape or (), role="state") if weighted else None
    program = made.program({"y": made.project(pre, weight, geometry)})
    return program_cost(program, batch=batch, itemsize=4).operations[-1]


# ---- by hand


def test_every_operation_has_a_cost() -> None:
    assert COUNTING.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("wiring", get_args(get_args(AnyWiring)[0]), ids=lambda wiring: wiring.kind)
def test_every_wiring_has_a_cost(wiring: type[Any]) -> None:
    declared = {"conv": {"kernel": 1, "channels": 3}, "dense": {"size": 3}, "pool": {"kind": "max", "size": 2}}
    laid = wiring.model_validate(declared.get(wiring.kind, {}))
    found = projected(Geometry(laid, (2, 4, 4), laid.target_shape((2, 4, 4)))).cost
    assert (found.multiply_adds > 0) is wiring.weighted


@pytest.mark.parametrize(
    ("wiring", "lower", "upper", "multiply_adds"),
    [
        (Dense(size=5), (2, 3, 3), (5,), 5 * 18),
        (Dense(shared=True), (7,), (5, 4, 4), 5 * 7),
        (Conv(channels=6, kernel=3), (4, 8, 8), (6, 8, 8), 6 * 4 * 9 * 64),  # all nine taps, at the borders too
        (Conv(channels=6, kernel=(1, 5), stride=2, groups=2), (4, 8, 8), (6, 4, 4), 6 * 2 * 5 * 16),
    ],
)
def test_multiply_adds_of_contractions(
    wiring: Dense | Conv, lower: tuple[int, ...], upper: tuple[int, ...], multiply_adds: int
) -> None:
    geometry = Geometry(wiring, lower, upper)
    cost = projected(geometry, batch=3).cost
    assert cost.multiply_adds == 3 * multiply_adds
    assert cost.flops == 6 * multiply_adds
    assert cost.read == 4 * (3 * math.prod(lower) + math.prod(geometry.weight_shape or ()))
    assert cost.written == 4 * 3 * math.prod(upper)


def test_pools_count_their_windows_and_views_cost_nothing() -> None:
    window = Geometry(Pool(kind="average", size=3, stride=2, padding=1), (2, 8, 8), (2, 4, 4))
    assert projected(window).cost == Cost(0, 9 * 32, 4 * 128, 4 * 32)
    assert projected(Geometry(OneToOne(), (2, 8, 8), (2, 8, 8))).cost == Cost()
    assert projected(Geometry(OneToOne(source=(0, 2)), (4, 8, 8), (2, 8, 8))).cost == Cost()
    assert projected(Geometry(OneToOne(target=(0, 2)), (2, 8, 8), (4, 8, 8))).cost.written == 4 * 256


def test_elementwise_operations_read_each_operand_and_write_one_result() -> None:
    made = ProgramBuilder("a sum")
    x = made.input("data/x", (3, 2, 2), role="data", batched=True)
    y = made.input("data/y", (3, 2, 2), role="data", batched=True)
    program = made.program({"sum": made.add(x, y)})
    assert program_cost(program, batch=5, itemsize=8).total == Cost(0, 60, 2 * 480, 480)


def test_memory_is_held_from_making_to_last_reading() -> None:
    made = ProgramBuilder("a chain")
    value = made.input("data/x", (10,), role="data", batched=True)
    for _ in range(4):
        value = made.transfer(value, "tanh")
    cost = program_cost(made.program({"y": value}), batch=3, itemsize=4)
    assert cost.memory == 2 * 120  # of a chain, no more than two links; the input is the caller's
    assert cost.returned == 120


def test_kinds_of_operations_add_up() -> None:
    mode = costs_of("digits_resnet", learning="weight_mirror").modes["mirror"]
    grouped = by_operation(mode.operations)
    assert sum(count for count, _ in grouped.values()) == len(mode.operations)
    assert sum((cost for _, cost in grouped.values()), Cost()) == mode.total


def test_gates_read_what_the_torch_engine_reads() -> None:
    """Where the rate alone gives the derivative, nothing else is kept for the way back."""
    for function in TRANSFERS.keys() - {"linear", "softmax"}:
        made = ProgramBuilder("gate")
        error, x, rate = (made.input(name, (3,), role="data", batched=True) for name in ("error", "x", "rate"))
        program = made.program({"gated": made.gate(error, x, rate, function)})
        nodes = TorchEngine().lower(program).module.graph.nodes
        read = [bool(node.users) for node in nodes if node.op == "placeholder"]
        assert read == [True, function not in GATED_BY_RATE, function in GATED_BY_RATE], function


def test_places_name_projections_and_populations() -> None:
    cost = costs_of("digits_resnet", learning="feedback_alignment").modes["engaged"].programs[0]
    contractions = [one for one in cost.operations if one.cost.multiply_adds]
    places = {(one.value.operation, one.place) for one in contractions}
    assert ("project", "image->stem") in places
    assert ("project_back", "stage2.block1.shortcut~") in places
    assert ("correlate", "stage2.block1.shortcut") in places
    assert len(places) == len(contractions), "each contraction has a place of its own"
    gates = {one.place for one in cost.operations if one.value.operation in ("gate", "normalize_back")}
    assert {"top", "stage1.block1.entry", "stage1.block1.hidden"} <= gates


# ---- against other counters


def counted(run: Any) -> int:
    with FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())


@pytest.mark.parametrize(("name", "parameters"), [("resnet18", 11_689_512), ("resnet50", 25_557_032)])
def test_forward_pass_of_imagenet_networks(name: str, parameters: int) -> None:
    torchvision = pytest.importorskip("torchvision")
    found = costs_of(name, batch=2)
    with torch.device("meta"):
        module = getattr(torchvision.models, name)().eval()
        flops = counted(lambda: module(torch.empty(2, 3, 224, 224)))
    assert found.parameters.forward == parameters
    predict = found.modes[PREDICT].total
    assert 2 * predict.multiply_adds == flops
    assert predict.flops == pytest.approx(flops, rel=0.01)
    if name == "resnet50":
        assert predict.multiply_adds / 2 == pytest.approx(4.1e9, rel=0.01)


def test_step_of_backprop_is_forward_and_backward() -> None:
    torchvision = pytest.importorskip("torchvision")
    with torch.device("meta"):
        module = torchvision.models.resnet18().train()
        flops = counted(lambda: module(torch.empty(2, 3, 64, 64)).sum().backward())
    assert 2 * costs_of("resnet18", size=[3, 64, 64]).modes["engaged"].total.multiply_adds == flops


BATCH = 32


def simulator(learning: str) -> tuple[Simulator, Mapping[str, Any]]:
    """A compiled circuit, and a run of each of its modes."""
    sim = cs.compile(cs.load("digits_resnet", learning=learning))
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(BATCH, 1, 8, 8)), rng.integers(0, 10, BATCH)
    runs = {PREDICT: lambda: sim.predict(images), "engaged": lambda: sim.step(images, labels)}
    return sim, runs | {mode: lambda: sim.run("mirror") for mode in sim.compiled.modes.keys() - {"engaged"}}


@pytest.mark.parametrize("learning", SYSTEMS)
def test_every_mode_computes_what_is_counted(learning: str) -> None:
    sim, runs = simulator(learning)
    found = circuit_cost(sim.compiled, batch=BATCH, itemsize=4)
    assert found.modes.keys() == runs.keys()
    for name, mode in found.modes.items():
        assert 2 * mode.total.multiply_adds == counted(runs[name]), name


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors made while it is on, until they are freed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {t.untyped_storage()._cdata for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)}
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                key = storage._cdata
                if key in given or key in self._known or func is torch.ops.aten.empty.memory_format:
                    continue  # a view, or a stand-in of which only the shape is read
                self._known[key] = storage.nbytes()
                self.now += storage.nbytes()
                weakref.finalize(storage, self._freed, key)
        self.peak = max(self.peak, self.now)
        return result

    def _freed(self, key: int) -> None:
        self.now -= self._known.pop(key)


@pytest.mark.parametrize("learning", ["backprop", "direct_feedback_alignment", "kolen_pollack"])
def test_memory_is_what_the_torch_engine_holds(learning: str) -> None:
    sim, runs = simulator(learning)
    with LiveBytes() as live:
        runs["engaged"]()
    found = circuit_cost(sim.compiled, batch=BATCH, itemsize=4)
    assert found.modes["engaged"].memory == pytest.approx(live.peak, rel=0.02)


# ---- circuits


def test_cost_is_linear_in_the_batch() -> None:
    one, two = (costs_of("digits_resnet", batch, "weight_mirror").modes for batch in (8, 16))
    assert two["engaged"].total.multiply_adds == 2 * one["engaged"].total.multiply_adds
    assert two["mirror"].total == one["mirror"].total, "a mirror step runs on its own noise"


def test_bytes_follow_the_number_format() -> None:
    compiled = compile_circuit(cs.load("digits_resnet"))
    single, double = (circuit_cost(compiled, batch=4, itemsize=size).modes["engaged"] for size in (4, 8))
    labels = 2 * 8 * 4 * 3  # class labels stay as they are; error, loss and accuracy read them
    assert 2 * single.total.moved - double.total.moved == labels // 2
    assert double.memory == 2 * single.memory


@pytest.mark.parametrize(
    ("learning", "feedback", "tied"),
    [("backprop", 0, 97_824), ("sign_symmetry", 0, 97_824), ("kolen_pollack", 97_824, 0)],
)
def test_parameters_of_both_streams(learning: str, feedback: int, tied: int) -> None:
    found = costs_of("digits_resnet", learning=learning)
    assert (found.parameters.feedback, found.parameters.tied) == (feedback, tied)
    assert found.parameters.weights == 97_824 + 12 * 9  # the first projection has no reverse
    assert found.state["weights"] == 4 * found.parameters.weights


def test_sharing_a_correlation_is_free() -> None:
    """Kolen-Pollack's feedback synapses ask for the correlations that the forward ones have."""
    alone, both = (costs_of("digits_resnet", learning=name).modes["engaged"] for name in SYSTEMS[1:5:3])
    assert both.total.multiply_adds == alone.total.multiply_adds


@pytest.mark.parametrize(("batch", "side", "share"), [(16, 64, 13), (64, 128, 0.83), (256, 224, 0.07)])
def test_mirrors_are_cheap_on_large_images_only(batch: int, side: int, share: float) -> None:
    """A mirror step for 12 degrees over a step of training, ResNet-18; the shares are those without a correction for
    small padded maps, which ask for more noise."""
    data = as_data(load_learning("weight_mirror"))
    data["modes"]["mirror"]["samples"] = {"target_angle": 12}
    found = costs_of("resnet18", batch, LearningSystem.model_validate(data), size=[3, side, side])
    assert share < found.share("mirror", "engaged") < 1.3 * share


def test_rare_mirrors_count_for_less() -> None:
    data = as_data(load_learning("weight_mirror"))
    data["modes"]["mirror"]["every"] = 10
    often = costs_of("digits_resnet", learning="weight_mirror").share("mirror", "engaged")
    rarely = costs_of("digits_resnet", learning=LearningSystem.model_validate(data)).share("mirror", "engaged")
    assert rarely == pytest.approx(often / 10)


def test_a_mode_has_the_cost_of_its_programs() -> None:
    mode = costs_of("digits_resnet").modes["engaged"]
    observe, consolidate = mode.programs
    assert isinstance(observe, ProgramCost)
    assert mode.total == observe.total + consolidate.total
    assert consolidate.total.multiply_adds == 0
    assert mode.memory == max(observe.memory, observe.returned + consolidate.memory)
