"""Writes keras_loop.json: what Keras' optimizers and callbacks do, beside what the helper writes into pipeline.json about them.

    LLMBENCH_TENSORFLOW_PYTHON keras_loop_reference.py > keras_loop.json
"""

import json
import os
import sys

import keras
import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../Sources/Capture/Helper"))
from llmbench_helper.with_keras import loop  # noqa: E402


class Monitors(dict):
    def is_told(self, name):
        return True


MONITORS = Monitors(val_loss="validation_loss", val_dice="validation_metric_1")
rng = numpy.random.default_rng(5)
# Two weights whose gradients have norms on both sides of one.
starts = {"a": rng.normal(size=6).astype("float32"), "b": rng.normal(size=3).astype("float32")}
gradients = [{"a": (rng.normal(size=6) * 2).astype("float32"), "b": (rng.normal(size=3) * 0.1).astype("float32")} for _ in range(6)]
optimizers = []
for made in (
    keras.optimizers.Nadam(0.01), keras.optimizers.Nadam(0.02, beta_1=0.8, weight_decay=0.1),
    keras.optimizers.Adam(0.01, amsgrad=True), keras.optimizers.Adam(0.01, clipnorm=1.0), keras.optimizers.Adam(0.01, clipvalue=0.3),
    keras.optimizers.AdamW(0.01, weight_decay=0.05, global_clipnorm=1.0), keras.optimizers.SGD(0.05),
    keras.optimizers.SGD(0.05, momentum=0.9), keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipnorm=0.5),
    keras.optimizers.RMSprop(0.01, momentum=0.5),
):
    weights = {name: keras.Variable(value) for name, value in starts.items()}
    made.build(list(weights.values()))
    for gradient in gradients:
        made.apply([keras.ops.convert_to_tensor(gradient[n]) for n in weights], list(weights.values()))
    optimizers.append({
        "described": loop.describe_optimizer(made, list(weights), loop.number(made.learning_rate)), "clip": loop.gradient_clip(made),
        "weights": {name: variable.numpy().tolist() for name, variable in weights.items()}})


def model():
    found = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    found.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    return found


plateaus, stops = [], []
for _ in range(40):
    count = 24
    values = (numpy.round(rng.random(count), 2) * rng.choice([1.0, 0.02])).tolist()
    mode, delta = str(rng.choice(["min", "max"])), float(rng.choice([0.0, 0.01, 0.2]))
    callback = keras.callbacks.ReduceLROnPlateau(
        monitor="val_dice", mode=mode, factor=0.5, patience=int(rng.integers(0, 4)), cooldown=int(rng.integers(0, 4)), min_delta=delta,
        min_lr=float(rng.choice([0.0, 0.01])))
    callback.set_model(model())
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_dice": value})
        rates.append(loop.number(callback.model.optimizer.learning_rate))
    plateaus.append({"scheduler": loop.Callbacks([callback], count, 0.1, MONITORS).scheduler, "values": values, "rates": rates})
    callback = keras.callbacks.EarlyStopping(
        monitor="val_dice", mode=mode, patience=int(rng.integers(0, 6)), min_delta=delta, restore_best_weights=True)
    callback.set_model(model())
    callback.on_train_begin()
    ended = None
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_dice": value})
        if callback.model.stop_training:
            ended = epoch + 1
            break
    described = loop.Callbacks([callback], count, 0.1, MONITORS)
    stops.append({"stopping": described.stopping, "best": described.best, "values": values, "ended": ended, "bestEpoch": callback.best_epoch + 1})
json.dump({
    "starts": {n: v.tolist() for n, v in starts.items()}, "gradients": [{n: v.tolist() for n, v in g.items()} for g in gradients],
    "optimizers": optimizers, "plateaus": plateaus, "stops": stops}, sys.stdout, indent=1)
print()
