"""Mode `first-losses`: what TensorFlow makes of the first batches of a captured pipeline, for another engine to be compared with.

    python /helper/run.py first-losses --job FILE [--capture DIR] [--record DIR] [--seed N] -- main.py --data /data --out /out

main.py runs until it calls `fit`. Its model then gets the captured weights and is trained by its own optimizer and loss, compiled as the
program compiled it, on the batches of the job: {"batches": [[3, 1], [0, 2]]}, indices into data/train.safetensors. Dropout keeps
everything. Writes DIR/steps.json {"losses": [one per batch]} and ends. Exit code 0; 1 with one line on standard error.
"""

import atexit
import json
import os
import sys

import numpy

from .. import launch
from ..jsonfile import write_json
from . import capture, hooks, start, tensors


def add_options(parser):
    parser.add_argument("--job", required=True)
    parser.add_argument("--capture", default="/capture")


class Substitute(hooks.Watcher):
    """Trains in the place of `fit`."""

    def __init__(self, options):
        self.options, self.losses = options, None

    def fit(self, model, arguments, run):
        with open(self.options.job) as file:
            batches = json.load(file)["batches"]
        folder = self.options.capture
        images, masks = tensors.read_pairs(os.path.join(folder, "data", "train.safetensors"))
        # A model may have been called by nobody yet, and have no weights to give anything to.
        model(numpy.moveaxis(images[batches[0]], 1, -1), training=False)
        give(model, os.path.join(folder, "weights.safetensors"))
        self.losses = []
        model.make_train_function()
        for batch in batches:
            model.reset_metrics()
            x, y = (numpy.moveaxis(part[batch], 1, -1) for part in (images, masks))
            self.losses.append(step(model, x, y))
        raise launch.Stop


def step(model, x, y):
    """One step of training, as `fit` takes it, and its loss. `train_on_batch` would hand over sample weights, which a train_step of the
    program's own may not expect."""
    import tensorflow

    logs = model.train_function(iter([(tensorflow.constant(x), tensorflow.constant(y))]))
    return float(logs["loss"])


def give(model, path):
    """Puts captured weights into a model; those of convolutions are kept as O I H W."""
    from safetensors.numpy import load_file

    stored, names = load_file(path), {n: v for v, n in capture.named(model)}
    for name, array in stored.items():
        if name in names:
            shape = tuple(names[name].shape)
            turned = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array if array.shape == shape else array.T
            names[name].assign(turned.reshape(shape))


def run(options):
    start.seed_everything(options.seed)
    substitute = Substitute(options)
    hooks.install(substitute)
    without_dropout()
    try:
        launch.run_program(options.program)
    except launch.Stop:
        pass
    if substitute.losses is None:
        sys.exit("first-losses: the program did not call fit")
    write_json(options.record, "steps.json", {"losses": substitute.losses})
    atexit._clear()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def without_dropout():
    import keras

    for name in ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"):
        getattr(keras.layers, name).call = lambda self, inputs, training=False: inputs
