"""Mode `verify`: a reference step of a file's U-Net, for another runtime to reproduce.

    python /helper/run.py verify [--class NAME] [--record DIR] [--seed N] -- FILE.py

Writes into DIR: describe.json as mode `describe`; train-graph.json (batch norm with batch statistics, dropout off, loss: mean
squared error against noise) and eval-graph.json, whose output `probability` is here the raw output of the model in
evaluation mode; weights.safetensors; reference.safetensors with `image`, `mask` (the noise), `output` (the raw output in
evaluation mode), `loss` and `gradient.NAME` for each parameter.
"""

import os

import torch

from . import capture, check, describe, launch
from .graph import Draft, unify
from .ops import Refused

add_options = describe.add_options


def run(options):
    found, error = describe.examine(options)
    if error is None:
        try:
            export(options, found)
        except Refused as refusal:
            error = str(refusal)
    check.write_json(options.record, "describe.json", {"error": error} if error else found.described)
    launch.finish(1 if error else 0)


def export(options, found):
    from safetensors.torch import save_file

    root = os.path.dirname(os.path.abspath(options.program[0]))
    trace, snapshot, _, _, _, loss = found.steps[0]
    state = dict(snapshot.named())
    reference = {"image": found.images[0], "mask": found.targets[0], "loss": loss.detach().reshape(1)}
    loss.backward()
    for name, parameter in found.model.named_parameters():
        if parameter.grad is not None:
            reference["gradient." + name] = parameter.grad.detach()
    # The steps that were recorded moved the running statistics; both graphs start from those before them.
    found.model.load_state_dict(state, strict=False)
    found.model.eval()
    drafts = []
    with torch.no_grad():
        for image in found.images:
            trace, snapshot, output, _ = found.trace(root, image)
            drafts.append(Draft(trace, trace.value_of(output),
                                capture.leaf_namer(trace, snapshot, found.constants), differentiable=False))
            drafts[-1].prune([drafts[-1].target])
            reference.setdefault("output", output.detach())
    evaluation = unify(*drafts, [4, 3])
    evaluation.update(kind="eval", outputs={"probability": drafts[0].target},
                      threshold={"value": 0.5, "comparison": "gt"})
    read = {leaf["name"] for graph in (found.train_graph, evaluation) for kind in ("parameters", "buffers")
            for leaf in graph[kind]}
    tensors = {name: t for name, t in state.items() if name in read} | found.constants
    os.makedirs(options.record, exist_ok=True)
    capture.write_json(os.path.join(options.record, "train-graph.json"), found.train_graph)
    capture.write_json(os.path.join(options.record, "eval-graph.json"), evaluation)
    for name, held in (("weights", tensors), ("reference", reference)):
        save_file({k: v.contiguous().clone() for k, v in held.items()},
                  os.path.join(options.record, name + ".safetensors"))
