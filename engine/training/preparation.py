"""An experiment with its data and circuits, seen to go together before anything is trained or written."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...circuits.declarations import Circuit, Mode
from ...circuits.errors import suggest
from ...circuits.expansion import expand
from ...circuits.graph import build_graph
from ..backends.registry import load_engine
from ..data import Dataset, check_fit, steps_per_epoch
from .company import ALONE, Company
from .errors import ExperimentError
from .experiment import Experiment
from .selectors import check_record


@dataclass(frozen=True)
class System:
    """One learning system of an experiment: its name, and the explicit circuit that learns by it."""

    name: str
    explicit: Circuit


@dataclass(frozen=True)
class Prepared:
    """An experiment whose parts were loaded and found to go together: nothing was written yet."""

    experiment: Experiment
    dataset: Dataset
    systems: tuple[System, ...]

    @property
    def runs(self) -> list[tuple[System, int]]:
        """Every system with every seed: seeds outside, so that what else the machine does meets all systems alike."""
        return [(system, seed) for seed in self.experiment.seeds for system in self.systems]


def prepare(experiment: Experiment, circuits: Sequence[Circuit], company: Company = ALONE) -> Prepared:
    """Load the data and see that `circuits`, the experiment's circuit with each of its learning systems, fit
    them.

    Raises every error that can be found without training.
    """
    dataset, systems = experiment.data.load(), [_system(circuit, experiment) for circuit in circuits]
    names = [system.name for system in systems]
    if len(set(names)) < len(names):
        message = f"systems must have different names (got {', '.join(names)})"
        raise ExperimentError(experiment.placed(message, "learning"))
    for system in systems:
        _check_data(system.explicit, dataset)
    _check_modes(systems, experiment)
    check_record([build_graph(system.explicit) for system in systems], experiment, dataset)
    load_engine(experiment.engine, dtype=experiment.dtype, device=experiment.device)
    check_batch(experiment, dataset, company)
    return Prepared(experiment, dataset, tuple(systems))


def _system(circuit: Circuit, experiment: Experiment) -> System:
    explicit = expand(circuit)
    modes = {
        name: experiment.modes[name].applied(mode) if name in experiment.modes else mode
        for name, mode in explicit.modes.items()
    }
    return System(explicit.system or "explicit", explicit.model_copy(update={"modes": modes}))


def _check_data(circuit: Circuit, dataset: Dataset) -> None:
    """Raise an error unless the circuit has one input and one output that the data fit."""
    inputs = [name for name, population in circuit.populations.items() if population.input is not None]
    outputs = [name for name, population in circuit.populations.items() if population.output_loss is not None]
    for kind, names in (("input", inputs), ("output", outputs)):
        if len(names) != 1:
            raise ExperimentError(
                f"circuit {circuit.name}: an experiment needs a circuit with one {kind} population "
                f"(got {', '.join(names) or 'none'}). Drive other circuits from Python: counterstream.compile"
            )
    shape, neurons = (circuit.populations[name] for name in (inputs[0], outputs[0]))
    check_fit(dataset, inputs[0], shape.input or (), outputs[0], (neurons.shape or (0,))[0])


def _check_modes(chosen: list[System], experiment: Experiment) -> None:
    """Raise ExperimentError for a mode of the experiment that none of its systems has."""
    circuits = [system.explicit for system in chosen]
    known = {name: mode for circuit in circuits for name, mode in _beside(circuit).items()}
    for name, plan in experiment.modes.items():
        if name not in known:
            hint = suggest(name, sorted(known), "modes")
            message = f"must be a mode that one of the learning systems runs beside the engaged one. {hint}"
            raise ExperimentError(experiment.placed(message, "modes", name))
        if not known[name].isolates and (plan.samples or plan.layers):
            message = f"must say 'every' alone: '{name}' runs on data, and has no samples and layers"
            raise ExperimentError(experiment.placed(message, "modes", name))


def _beside(circuit: Circuit) -> dict[str, Mode]:
    """The modes of an explicit circuit other than the engaged one, which is the first in which data flow."""
    engaged = next(name for name, mode in circuit.modes.items() if not mode.isolates)
    return {name: mode for name, mode in circuit.modes.items() if name != engaged}


def check_batch(experiment: Experiment, dataset: Dataset, company: Company = ALONE) -> None:
    """Raise ExperimentError unless an epoch has at least one full batch, and a batch a sample for every process."""
    samples = len(dataset.train)
    if not steps_per_epoch(samples, experiment.batch):
        message = f"must be at most {samples}, the training samples of {dataset.name} (got {experiment.batch})"
        raise ExperimentError(experiment.placed(message, "batch"))
    if experiment.batch < company.size:
        message = f"must hold a sample for each of the {company.size} processes that share it (got {experiment.batch})"
        raise ExperimentError(experiment.placed(message, "batch"))
