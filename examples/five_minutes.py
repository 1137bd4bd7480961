"""Counterstream in five minutes: declare, check, compile, train, look inside, measure.

python examples/five_minutes.py
"""

import numpy as np

import counterstream as cs
from counterstream.analysis import angle_degrees
from counterstream.engine.data import digits, training_batches

# Declare. A circuit is a forward topology and the name of a learning system, which turns it into a circuit with
# feedback neurons, cross-projections and rules.
circuit = cs.loads(
    """
    name: small
    populations:
      image: {input: [1, 8, 8]}
      v1: {normalize: batch, transfer: relu}
      v2: {normalize: batch, transfer: relu}
      pooled: {}
      digit: {transfer: softmax}
    projections:
      - {from: image, to: v1, wiring: {conv: {channels: 16, kernel: 3}}}
      - {from: v1, to: v2, wiring: {conv: {channels: 32, kernel: 3, stride: 2}}}
      - {from: v2, to: pooled, wiring: {pool: {kind: average, size: global}}}
      - {from: pooled, to: digit, wiring: {dense: {size: 10}}}
    learning: weight_mirror
    """
)

# Check. Is every synapse's change a function of what it can see?
report = cs.check(circuit)
print(f"{report.system}: local {report.local}, transports weights {report.transports_weights}")

# The explicit form has every population and projection; the reverse of a projection p is called p~.
for projection in cs.expand(circuit).projections:
    print(f"  {projection.label:<16}", *(f"{mode}: {rule.dw}" for mode, rule in projection.rules.items()))

# Compile, and train by hand: engaged steps on data, mirror steps on noise.
data = digits()
sim = cs.compile(circuit, consolidation=cs.Consolidation(rate=0.1, momentum=0.9), seed=0)
for epoch in range(5):
    for indices in training_batches(len(data.train), 64, seed=0, epoch=epoch):
        batch = data.train.take(indices)
        metrics = sim.step(batch.images, batch.labels)
        sim.run("mirror", steps=1)
    angle = angle_degrees(sim.weights["v1->v2"], sim.weights["v1->v2~"])
    print(f"epoch {epoch + 1}: loss {metrics['loss']:.3f}, angle between W and B of v1->v2 {angle:.1f} degrees")

# Look inside: any compartment of any population, as it was in the last step.
print("rates of v1:", sim.read("v1.rate").shape, " error signals at v1:", sim.read("v1~.rate").shape)

# Measure.
print("test:", sim.evaluate(data.test.images, data.test.labels))
print("first ten:", np.argmax(sim.predict(data.test.images[:10]), axis=1), data.test.labels[:10])
print("delta angles:", {name: round(angle, 1) for name, angle in sim.delta_angles(batch.images, batch.labels).items()})
