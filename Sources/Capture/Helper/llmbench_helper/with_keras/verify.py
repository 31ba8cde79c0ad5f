"""Mode `verify` for Keras: a reference step of a file's U-Net, for another runtime to reproduce.

    python /helper/run.py verify [--class NAME] [--record DIR] [--seed N] -- FILE.py

Writes what the mode of PyTorch writes (see `..verify`): describe.json, train-graph.json, eval-graph.json, weights.safetensors and
reference.safetensors, all with channels before rows and weights with the axes of the format.
"""

import os

from .. import launch
from ..jsonfile import write_json
from ..refusal import Refused
from . import capture, describe, tensors

add_options = describe.add_options


def run(options):
    found, error = describe.examine(options)
    if error is None:
        try:
            export(options.record, found)
        except Refused as refusal:
            error = str(refusal)
    write_json(options.record, "describe.json", {"error": error} if error else found.described)
    launch.finish(1 if error else 0)


def export(folder, found):
    step, draft = found.steps[0], found.drafts[0]
    predictions = [found.record(image) for image in found.images]
    drafts = capture.drafts_of(predictions, lambda step: step.output, found.constants)
    evaluation = capture.graph_of(drafts, [p.batch for p in predictions], "eval")
    evaluation["outputs"] = {"probability": drafts[0].target}
    evaluation["threshold"] = {"value": 0.5, "comparison": "gt"}
    reference = {"image": tensors.channels_first(found.images[0]), "mask": tensors.channels_first(found.targets[0]),
                 "output": tensors.channels_first(predictions[0].result)}
    reference |= gradients(found.model, step, draft)
    arrays = {name: array for made in (draft, drafts[0]) for kind, name, array in made.leaves.values()
              if kind in ("parameters", "buffers")}
    for name, graph in (("train-graph.json", found.train_graph), ("eval-graph.json", evaluation)):
        write_json(folder, name, graph)
    tensors.save(os.path.join(folder, "weights.safetensors"), arrays | found.constants)
    tensors.save(os.path.join(folder, "reference.safetensors"), reference)


def gradients(model, step, draft):
    """Of each weight that the loss depends on, with the axes that the graph keeps it with."""
    found = {}
    for variable, gradient in zip(model.trainable_variables, step.gradients):
        handle = variable._value.handle._id
        if gradient is not None and handle in draft._kernels:
            _, order = draft._kernels[handle]
            found["gradient." + step.variables[handle][1]] = gradient.numpy().transpose(order)
    return found
