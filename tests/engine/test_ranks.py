"""Ranks that share a model learn what one process would learn from the whole batch, and end together."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import counterstream as cs
from counterstream.engine import Ranks, RanksError, SimulationError
from counterstream.engine.averaging import Averaging
from counterstream.engine.backends import load_engine
from counterstream.engine.compiler.builder import ProgramBuilder
from counterstream.engine.compiler.compile import compile_circuit
from counterstream.engine.compiler.normalization import normalize_back_together, normalize_together
from counterstream.engine.overlapping import Overlapping
from counterstream.testing.conformance.candidate import close

from .nets import SYSTEMS, Array, plain, residual, residual_batch, simulate
from .shared_runs import STEPS, begun, carried_out, rows_of, runs
from .together import Done, succeeded, together

RUNS = runs()
TOLERANCES = {"float64": 1e-10, "float32": 5e-6}  # of a state's norm; found: at most 6e-15 and 8e-7


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """All runs on two ranks: what each rank came to, and how many bytes it sent."""
    job = """
from tests.engine.shared_runs import Counting, carried_out, runs

for name, run in runs().items():
    ranks = Counting(synchronise=run.synchronise, bucket=run.bucket)
    sim, found = carried_out(run, ranks)
    sim.check_in_step()
    keep(name, **found, bytes=ranks.bytes_sent)
"""
    return succeeded(job, tmp_path_factory.mktemp("ranks"))


def distance(found: Array, expected: Array) -> float:
    """|found - expected| over |expected|."""
    return float(np.linalg.norm(found - expected) / (np.linalg.norm(expected) or 1.0))


@pytest.mark.parametrize("name", RUNS)
def test_two_ranks_learn_what_one_process_learns(shared: Done, name: str) -> None:
    _, alone = carried_out(RUNS[name])
    start = begun(RUNS[name])
    assert any((alone[state] != start.get_state(state)).any() for state in start.compiled.states)
    for rank, found in enumerate(shared.kept(name)):
        assert found.pop("bytes") > 0
        assert found.keys() == alone.keys()
        for what, expected in alone.items():
            of_samples = what in RUNS[name].reads and not RUNS[name].alike
            value = expected[rows_of(rank)] if of_samples else expected
            assert found[what].shape == value.shape
            assert distance(found[what], value) <= TOLERANCES[RUNS[name].dtype], what


@pytest.mark.parametrize("name", RUNS)
def test_ranks_hold_the_same_to_the_last_bit(shared: Done, name: str) -> None:
    """Mirror steps, which nobody sends anything for, included."""
    first, second = shared.kept(name)
    for what in first.keys() - set(RUNS[name].reads):
        np.testing.assert_array_equal(first[what], second[what], err_msg=what)


@pytest.mark.parametrize(("dtype", "itemsize"), [("float64", 8), ("float32", 4)])
def test_no_system_sends_more_than_backprop(shared: Done, dtype: str, itemsize: int) -> None:
    """W and biases, the loss, the accuracy and how many samples they are of: nothing for B, nothing for a mirror."""
    sent = {system: {int(found["bytes"]) for found in shared.kept(f"{system} {dtype}")} for system in SYSTEMS}
    compiled = compile_circuit(plain("backprop"))
    learned = sum(np.prod(learner.shape) for learner in compiled.modes["engaged"].learners)
    assert sent == {system: {STEPS * itemsize * (learned + 3)} for system in SYSTEMS}


class Alone:
    """What stands for ranks where there is nobody else."""

    def __init__(self, bucket: int = 0) -> None:
        self.sent: list[torch.Tensor] = []
        self.bucket = bucket

    def add_up(self, tensor: torch.Tensor) -> torch.Tensor:
        self.sent.append(tensor.clone())
        return tensor

    def begin_adding_up(self, tensor: torch.Tensor) -> Callable[[], None]:
        self.add_up(tensor)
        return lambda: None


@pytest.mark.parametrize("learning", SYSTEMS)
def test_one_flat_collective_changes_nothing_where_one_is_alone(learning: str) -> None:
    sim = simulate(residual(learning=learning, decay=0.01))
    observe = sim.compiled.modes["engaged"].observe
    images, digits = residual_batch(samples=6)
    inputs = {"data/image": sim.engine.array(images), "label/answer": sim.engine.array(digits, "int")}
    results = sim.engine.compile(observe)({**sim._live.arrays, **inputs})
    ranks = Alone()
    averaging = Averaging(observe, ranks)  # type: ignore[arg-type]
    means = averaging(results, inputs)
    assert [sent.numel() for sent in ranks.sent] == [averaging.numbers]
    assert means.keys() == results.keys()
    for name, value in results.items():
        torch.testing.assert_close(means[name], value, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("learning", ["backprop", "kolen_pollack"])
@settings(max_examples=5)
@given(bucket=st.integers(1, 3000))
def test_buckets_change_nothing_either(learning: str, bucket: int) -> None:
    """Each is full when it is sent, but the last; all of what one flat collective sends is sent, and the count anew."""
    sim = simulate(residual(learning=learning, decay=0.01))
    observe = sim.compiled.modes["engaged"].observe
    images, digits = residual_batch(samples=6)
    inputs = {"data/image": sim.engine.array(images), "label/answer": sim.engine.array(digits, "int")}
    expected = sim.engine.compile(observe)({**sim._live.arrays, **inputs})
    ranks = Alone(bucket)
    averaging = Overlapping(observe, ranks)  # type: ignore[arg-type]
    for _ in range(2):
        averaging.begin(inputs)
        means = averaging(
            sim.engine.compile(observe, announce=averaging.announce)({**sim._live.arrays, **inputs}), inputs
        )
        assert means.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(means[name], value, rtol=1e-14, atol=1e-300)
    *full, last = ranks.sent[: len(ranks.sent) // 2]
    assert all(sent.nbytes - 8 >= bucket for sent in full)
    assert sum(sent.numel() - 1 for sent in (*full, last)) == averaging.numbers - 1


# ---- normalization over all ranks


@pytest.mark.parametrize("engine", ["reference", "torch"])
@settings(max_examples=20)
@given(
    shape=st.one_of(st.tuples(st.integers(1, 4)), st.tuples(*[st.integers(1, 3)] * 3)),
    samples=st.integers(2, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_alone_normalizing_together_is_normalizing(
    engine: str, shape: tuple[int, ...], samples: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    arrays = {"data/x": random.normal(30, 3, (samples, *shape)), "data/error": random.normal(size=(samples, *shape))}
    arrays |= {name: random.uniform(0.5, 2, shape[:1]) for name in ("gain", "bias", "mean", "variance")}
    build = ProgramBuilder("both", shared=True)
    soma, error = (build.input(name, shape, role="data", batched=True) for name in ("data/x", "data/error"))
    gain, *rest = (build.input(name, shape[:1], role="state") for name in ("gain", "bias", "mean", "variance"))
    results = {}
    for kind, forward, back in (
        ("own", build.normalize, build.normalize_back),
        ("all", *(lambda *a, f=f, **how: f(build, *a, **how) for f in (normalize_together, normalize_back_together))),
    ):
        found = forward(soma, gain, *rest, epsilon=1e-5, momentum=0.1)
        found = (*found, *back(error, soma, gain, found[1], found[2]))
        results |= {f"{kind}/{number}": value for number, value in enumerate(found)}
    made = load_engine(engine, dtype="float64")
    done = made.compile(build.program(results))({name: made.array(array) for name, array in arrays.items()})
    for number in range(8):
        close(made.numpy(done[f"all/{number}"]), made.numpy(done[f"own/{number}"]), 1e-10)


def test_only_what_needs_the_others_waits_for_them_inside_a_step() -> None:
    def collectives(circuit: cs.Circuit, **how: bool) -> int:
        return compile_circuit(circuit, **how).modes["engaged"].observe.count("across")

    assert collectives(residual(), synchronise=True) == 0
    assert collectives(residual(), shared=True) == 0
    assert collectives(residual(), shared=True, synchronise=True) == 1 + 4 * 5  # the number of samples; by population
    assert collectives(RUNS["centre"].circuit, shared=True) == 2


@pytest.mark.slow
@pytest.mark.parametrize("in_place", [False, True])
def test_mirrors_that_differ_by_rounding_become_one(tmp_path: Path, in_place: bool) -> None:
    """As GPUs leave them. Other differences are told: that of a whole mirror, and the least one of a W."""
    job = f"""
from counterstream.engine.rounding import found_alone

sim = simulate(plain("weight_mirror"), ranks=Ranks(), in_place={in_place})
for _ in range(3):
    sim.run("mirror")
true = {{name: sim.get_state(name) for name in sim.compiled.states}}
mirrors = found_alone(sim.compiled)
assert mirrors == ("weights/h->answer~", "weights/v2->h~", "weights/v1->v2~"), mirrors
for name in mirrors:
    sim.set_state(name, true[name] * (1 + 1e-6 * rank))
sim.check_in_step()
for name in mirrors:
    assert (sim.get_state(name) == true[name]).all()

for name, factor in (("weights/v2->h~", 1.1), ("weights/v2->h", 1 + 1e-12)):
    sim.set_state(name, true[name] * (factor if rank else 1))
    try:
        sim.check_in_step()
    except RanksError as error:
        print(error)
    sim.set_state(name, true[name])
"""
    done = succeeded(job, tmp_path)
    for output in done.outputs:
        told = [line.partition(")")[0] for line in output.splitlines()]
        assert told == [
            f"ranks must hold the same (got another weights/v2->h{end} on rank 1 than on rank 0" for end in ("~", "")
        ]


# ---- what goes wrong


@pytest.fixture(scope="module")
def astray(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """What two ranks are told that do not go together."""
    job = """
def told(name, act):
    try:
        act()
    except RanksError as error:
        print(f"{name}: {error}")


sim = simulate(plain("kolen_pollack"), ranks=Ranks())
sim.step(*plain_batch(samples=4 + rank))
sim.check_in_step()
sim.biases["v1"] = sim.biases["v1"] + 1e-15 * rank
told("state", sim.check_in_step)
told("seed", lambda: simulate(plain(), seed=rank, ranks=Ranks()))
told("rate", lambda: simulate(plain(), consolidation=cs.Consolidation(rate=0.1 + rank), ranks=Ranks()))
"""
    return succeeded(job, tmp_path_factory.mktemp("astray"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("state", "ranks must hold the same (got another bias/v1 on rank 1 than on rank 0)"),
        ("seed", "ranks must hold the same (got another weights/image->v1, weights/v1->v2, weights/v2->h and "),
        ("rate", "ranks must hold the same (got another consolidation on rank 1 than on rank 0)"),
    ],
)
def test_ranks_that_differ_are_told_so(astray: Done, what: str, message: str) -> None:
    for output in astray.outputs:
        assert f"{what}: {message}" in output


@pytest.mark.slow
def test_a_rank_that_dies_ends_the_others(tmp_path: Path) -> None:
    """Within seconds, not after the process group's timeout of 60."""
    job = """
import time

sim = simulate(plain("kolen_pollack"), ranks=Ranks())
try:
    for step in range(1000):
        if rank == 1 and step == 3:
            os._exit(7)
        (folder / "last").write_text(str(time.time()))
        sim.step(*plain_batch())
except RanksError as error:
    print(f"{step} steps, {time.time() - float((folder / 'last').read_text()):.0f} s: {error}")
    os._exit(3)
"""
    done = together(job, tmp_path)
    assert done.codes == [3, 7], done.errors
    steps, seconds = re.match(r"(\d+) steps, (\d+) s: rank 0 of 2 could not reach the others", done.outputs[0]).groups()
    assert int(steps) == 3
    assert int(seconds) < 20


@pytest.mark.slow
def test_a_recording_without_rank_0_ends(tmp_path: Path) -> None:
    """By an error that says so, as a step would, and without torch's own traceback."""
    job = """
from counterstream.engine.recorder import SharedRecorder

if rank == 0:
    os._exit(7)
try:
    SharedRecorder(None).write(step=1, epoch=1.0)
except RanksError as error:
    print(error)
    os._exit(3)
"""
    done = together(job, tmp_path)
    assert done.codes == [7, 3], done.errors
    assert done.outputs[1].startswith("rank 1 of 2 could not reach the others: one ended")


@pytest.mark.slow
def test_a_rank_that_does_not_come_ends_the_others_after_the_timeout(tmp_path: Path) -> None:
    job = """
import time

group = distributed.new_group(timeout=timedelta(seconds=2))
sim = simulate(plain("kolen_pollack"), ranks=Ranks(group))
if rank == 1:
    time.sleep(12)
    os._exit(0)
began = time.time()
try:
    sim.step(*plain_batch())
except RanksError as error:
    print(f"{time.time() - began:.0f} s: {error}")
    os._exit(3)
"""
    done = together(job, tmp_path)
    assert done.codes == [3, 0], done.errors
    assert 1 < int(done.outputs[0].split()[0]) < 10
    assert "rank 0 of 2 could not reach the others: one ended, or did not come within the process" in done.outputs[0]


def test_ranks_need_a_process_group() -> None:
    with pytest.raises(RanksError, match=r"ranks need a process group \(got none\): call torch.distributed.init_proc"):
        Ranks()


def test_ranks_are_ranks() -> None:
    with pytest.raises(SimulationError, match=r"ranks must be engine.Ranks\(\), or None for a process alone \(got 2\)"):
        cs.compile(plain(), ranks=2)  # type: ignore[arg-type]


# ---- compiled


@pytest.mark.slow
@pytest.mark.parametrize("name", ["in place", "centre", "synchronised kolen_pollack"])
def test_compiled_ranks_learn_what_one_process_learns(tmp_path: Path, name: str) -> None:
    """Two graphs, the collective between them; in the latter cases, further ones inside the first, compiled with it."""
    job = f"""
from dataclasses import replace
from tests.engine.shared_runs import carried_out, runs

run = replace(runs()["{name}"], engine="inductor", in_place=True, reads=())
sim, found = carried_out(run, Ranks(synchronise=run.synchronise))
sim.check_in_step()
keep("compiled", **found)
"""
    done = succeeded(job, tmp_path, limit=500)
    _, alone = carried_out(RUNS[name])
    for found in done.kept("compiled"):
        for what in found:
            assert distance(found[what], alone[what]) <= TOLERANCES["float64"], what
