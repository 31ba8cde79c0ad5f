"""Mode `emitted` for TensorFlow: main.py to its own end, unmodified, then predictions for held-out tensors.

    python /helper/run.py emitted [--heldout FILE] [--record DIR] [--seed N] -- main.py --data /data --out /out [--epochs N]

`--heldout` (default /heldout/heldout.safetensors) holds `images` as the pipeline makes them, N C H W, without masks. The model that the
program evaluated last is run on them; the range of its output decides whether a sigmoid (softmax for two channels) follows.

Writes into DIR what the mode of PyTorch writes, `method` being `model`. The exit code is the program's own.
"""

import json
import os
import time

import numpy

from .. import launch
from ..jsonfile import write_json
from ..progress import Progress
from . import hooks, start, tensors
from .observe import Observer


def add_options(parser):
    parser.add_argument("--heldout", default="/heldout/heldout.safetensors")
    parser.add_argument("--capture", default="/capture")


def run(options):
    start.seed_everything(options.seed)
    observer = Observer(Progress(options.record))
    hooks.install(observer)
    begun = time.monotonic()
    code, result = 1, {"method": None, "error": None}
    try:
        code = launch.run_program(options.program)
        end = time.monotonic()
        if code == 0:
            try:
                predict(options, observer.evaluated_model, result)
            except Exception as problem:
                result["error"] = f"{type(problem).__name__}: {problem}"
        result.update(exit_code=code, seconds=end - begun, epochs=observer.epochs(end))
    finally:
        write_json(options.record, "observation.json", observer.observation(counted=code == 0))
        write_json(options.record, "emitted.json", result)
    launch.finish(code)


def predict(options, model, result):
    if model is None:
        result["error"] = "no model was run without training"
        return
    ids, images = tensors.read_split(options.heldout)
    begun = time.monotonic()
    outputs = [first(model(numpy.moveaxis(images[i:i + 8], 1, -1), training=False)) for i in range(0, len(images), 8)]
    probability = probabilities(numpy.concatenate(outputs))
    result["prediction_seconds"] = time.monotonic() - begun
    result["method"] = "model"
    tensors.save(os.path.join(options.record, "predictions.safetensors"), {"probability": probability},
                 {"ids": json.dumps(ids)})


def first(output):
    while isinstance(output, (list, tuple, dict)):
        output = next(iter(output.values())) if isinstance(output, dict) else output[0]
    return tensors.channels_first(output.numpy())


def probabilities(output):
    """N 1 H W of what a model returned: logits where a value lies outside of [0, 1]."""
    inside = output.min() >= 0 and output.max() <= 1
    if output.shape[1] == 2:
        if not inside:
            shifted = numpy.exp(output - output.max(1, keepdims=True))
            output = shifted / shifted.sum(1, keepdims=True)
        return output[:, 1:2]
    return output[:, :1] if inside else 1 / (1 + numpy.exp(-output[:, :1]))
