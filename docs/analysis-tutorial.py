# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From a run to figures and numbers
#
# A run of Counterstream leaves one HDF5 file with its synapses in it. This page trains four small networks,
# half a minute on a laptop, and asks their files the questions that this field asks: how nearly does feedback
# come to mirror feedforward, where, when, and is it as theory says? Nothing from the training on is needed to
# read the files: not torch, not a GPU.
#
# It is a script of cells: run it with `python docs/analysis-tutorial.py`, or open it as a notebook (Jupyter
# with jupytext, VS Code). It writes into the folder `tutorial`.

# %%
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import xarray

from counterstream.analysis import (
    Run,
    angles_over_training,
    by_system,
    comparison,
    delta_angles,
    depth_profiles,
    differences,
    kolen_pollack_theory,
    matrix_angles,
    summary,
)

pd.set_option("display.width", 140, "display.max_columns", 12)
folder = Path("tutorial")
folder.mkdir(exist_ok=True)

# %% [markdown]
# ## A short experiment
#
# Two learning systems that transport no weights, in a small convolutional circuit on handwritten digits, two
# seeds each. The `record` part says what goes into the files: weights of all projections after every epoch,
# angles twice as often, and what two populations do with a fixed probe of 64 training images.

# %%
experiment = folder / "experiment.yaml"
experiment.write_text("""\
format: 1
name: tutorial
circuit:
  format: 1
  name: small_cnn
  populations:
    image: {input: [1, 8, 8]}
    v1: {normalize: batch, transfer: relu}
    v2: {normalize: batch, transfer: relu}
    v3: {normalize: batch, transfer: relu}
    pooled: {transfer: linear}
    digit: {transfer: softmax}
  projections:
    - {from: image, to: v1, wiring: {conv: {channels: 12, kernel: 3}}}
    - {from: v1, to: v2, wiring: {conv: {channels: 16, kernel: 3, stride: 2}}}
    - {from: v2, to: v3, wiring: {conv: {channels: 24, kernel: 3, stride: 2}}}
    - {from: v3, to: pooled, wiring: {pool: {kind: average, size: global}}}
    - {from: pooled, to: digit, wiring: {dense: {size: 10}}}
learning: [weight_mirror, kolen_pollack]
parameters: {decay: 0.02}
data: digits
epochs: 4
batch: 64
consolidation: {optimizer: sgd, rate: 0.1, momentum: 0.9, schedule: cosine}
seeds: [0, 1]
threads: 1
record:
  weights: {when: {epochs: 1}}
  angles: {when: {steps: 11}}
  signals: {populations: [v1, v3], when: end}
  probe: 64
""")
command = [sys.executable, "-m", "counterstream", "run", experiment, "--output", folder / "runs", "--overwrite"]
subprocess.run([str(word) for word in command], check=True)

# %% [markdown]
# ## Opening a recording
#
# `Run` reads only indexes when it opens; everything else when it is asked for. It also opens runs that still go
# on, or were killed.

# %%
paths = sorted((folder / "runs").glob("*.h5"))
runs = [Run.open(path) for path in paths]
mirror = next(run for run in runs if run.attributes["learning"] == "weight_mirror")
pd.DataFrame([summary(run) for run in runs]).set_index(["learning", "seed"]).transpose()

# %% [markdown]
# What a file says of one projection, and its weights as an array. The weights B of a reverse projection are
# stored in the shape of W, so perfect mirroring is B = W.

# %%
forward, reverse = mirror.pairs[0]
w, b = mirror.weights(forward), mirror.weights(reverse)
print(mirror.synapse(forward))
print("snapshots at epochs", mirror.epochs, "of shape", w.shape)
print("angle in degrees", np.degrees(np.arccos(np.vdot(w, b) / np.linalg.norm(w) / np.linalg.norm(b))))

# %% [markdown]
# ## Angles as frames
#
# Every question is a function from a run to a pandas frame: a row a layer and instant.

# %%
angles = matrix_angles(mirror)
angles.pivot(index="projection", columns="epoch", values="angle_degrees").round(1)

# %% [markdown]
# From there it is pandas. Which layers mirror worst at the end, and does the mirror keep the weights' length?

# %%
end = angles[angles["step"] == angles["step"].max()]
print(end.nlargest(3, "angle_degrees")[["projection", "angle_degrees", "norm_ratio"]])
assert end["angle_degrees"].max() < 20
assert end["norm_ratio"].between(0.9, 1.1).all()

# %% [markdown]
# Angles were also measured during the run, on the device, more often than weights were kept.

# %%
recorded = matrix_angles(mirror, source="recorded")
print(recorded["step"].unique())
delta = delta_angles(mirror)
delta.groupby("epoch")["angle_degrees"].describe()[["min", "50%", "max"]].round(1)

# %% [markdown]
# ## Theory beside measurement
#
# In Kolen-Pollack the difference W - B shrinks by decay, rate and momentum alone: the same in every layer,
# whatever the data. The frame has the ratio to its start beside what the recurrence says, to the precision of
# float32.

# %%
kolen_pollack = next(run for run in runs if run.attributes["learning"] == "kolen_pollack")
theory = kolen_pollack_theory(kolen_pollack)
assert np.allclose(theory["ratio"], theory["expected_ratio"], rtol=1e-3)
theory.groupby("epoch")[["ratio", "expected_ratio"]].mean()

# %% [markdown]
# ## Several runs
#
# Means over seeds with bootstrap intervals. With two seeds an interval is a hint and no more; its documentation
# says how little.

# %%
grouped = by_system(runs)
compared = comparison(grouped)
print(compared[compared["quantity"].isin(["test_accuracy", "median_matrix_angle", "median_delta_angle"])])
differences(grouped, baseline="kolen_pollack").query("quantity == 'test_accuracy'")

# %% [markdown]
# ## Figures
#
# The paper's figures come ready, as PNG, PDF or SVG; any other is a line of pandas away.

# %%
angles_over_training(grouped, folder / "angles.png")
depth_profiles(grouped, folder / "depth.pdf")

axes = recorded.pivot(index="epoch", columns="projection", values="angle_degrees").plot(legend=False, ylabel="degrees")
axes.set_title("Matrix angles of the weight mirror, one line a layer")
axes.figure.savefig(folder / "layers.png")

# %% [markdown]
# ## xarray, h5py, or another language
#
# The files are plain HDF5 with labelled axes ([the format](hdf5-format.md)), so other tools open them as they
# are. Here is the error signal of a population on the probe, by class. Close a file before another library
# opens it in the same process: HDF5 refuses to open it twice with different ideas about locking.

# %%
for run in runs:
    run.close()
with xarray.open_dataset(paths[0], group="signals/v3", engine="h5netcdf") as signals:
    size = np.abs(signals["delta"].isel(step=-1)).mean(dim=["channel", "row", "column"])
    by_class = size.groupby("label").mean().to_series()
print(by_class.round(4))

# %% [markdown]
# ## A page to send around
#
# The same from the command line: tables with `counterstream analyze`, and everything on one page with
# `counterstream report`.

# %%
report = folder / "report.html"
command = [sys.executable, "-m", "counterstream", "report", folder / "runs", "-o", report]
subprocess.run([str(word) for word in command], check=True)
