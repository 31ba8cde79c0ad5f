"""Writes keras.json: what Keras' optimizers make of small gradients, and what its batch norm keeps of two batches.

    LLMBENCH_TENSORFLOW_PYTHON keras_reference.py > keras.json
"""

import json
import sys

import keras
import numpy

rng = numpy.random.default_rng(7)
# Gradients around ε, where the place of ε tells.
start = rng.normal(size=6).astype("float32")
gradients = [(rng.normal(size=6) * 10.0 ** rng.integers(-8, 0, size=6)).astype("float32") for _ in range(5)]
found = {"start": start.tolist(), "gradients": [g.tolist() for g in gradients], "optimizers": {}}
for name, optimizer in {
    "Adam": keras.optimizers.Adam(0.01), "AdamW": keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "RMSprop": keras.optimizers.RMSprop(0.01, rho=0.8), "RMSprop centered": keras.optimizers.RMSprop(0.01, rho=0.8, centered=True),
}.items():
    weight = keras.Variable(start)
    optimizer.build([weight])
    for gradient in gradients:
        optimizer.apply([gradient], [weight])
    found["optimizers"][name] = weight.numpy().tolist()
layer = keras.layers.BatchNormalization(momentum=0.9)
batches = [rng.normal(2, 3, size=(2, 2, 1, 2)).astype("float32") for _ in range(2)]
for batch in batches:
    layer(batch, training=True)
# As N C H W.
found["batches"] = [numpy.moveaxis(b, -1, 1).reshape(-1).tolist() for b in batches]
found["mean"], found["variance"] = layer.moving_mean.numpy().tolist(), layer.moving_variance.numpy().tolist()
json.dump(found, sys.stdout, indent=1)
print()
