"""|W - B| of a Kolen-Pollack run beside what its recurrence says, from the run's HDF5 file alone.

    counterstream demo --seeds 5 --output runs/five
    python benchmarks/kolen_pollack_recurrence.py runs/five/kolen_pollack-seed0.h5

With d = W - B: v' = mu v + lambda d, d' = d - eta v', whatever the data. eta, mu, lambda and the schedule are read from
the experiment that the file carries; the recurrence is linear, so one scalar d tells every layer's ratio to its start.
"""

import sys

import yaml

from counterstream.analysis import Run, difference_decay
from counterstream.engine.training import multiplier, reads


def predicted(text: str, steps: int, epochs: int) -> list[float]:
    """d after 0, 1, ..., `steps` steps, in units of its start."""
    experiment = reads(text)
    plan, decay = experiment.consolidation, experiment.parameters["decay"]
    d, v, found = 1.0, 0.0, [1.0]
    for step in range(steps):
        factor = multiplier(plan.schedule, step, steps=steps, steps_per_epoch=steps // epochs, warmup=plan.warmup)
        v = plan.momentum * v + decay * d
        d -= plan.rate * factor * v
        found.append(d)
    return found


def main() -> None:
    with Run.open(sys.argv[1]) as run:
        steps, text = int(run.steps[-1]), run.experiment
        table = difference_decay(run)
    theory = predicted(text, steps, yaml.safe_load(text)["epochs"])
    print(f"{'step':>6} {'theory':>9} {'smallest':>9} {'largest':>9}   (|W - B| over its start, over all layers)")
    for step, layers in table.groupby("step"):
        print(f"{step:6} {theory[step]:9.5f} {layers['ratio'].min():9.5f} {layers['ratio'].max():9.5f}")


if __name__ == "__main__":
    main()
