"""Mode `emitted`: main.py to its own end, unmodified, then predictions for held-out tensors.

    python /helper/run.py emitted [--heldout FILE] [--capture DIR] [--record DIR] [--seed N]
                          -- main.py --data /data --out /out [--epochs N]

`--heldout` (default /heldout/heldout.safetensors) holds `images` as the pipeline's datasets yield them, without masks.
`--capture` (default /capture) may hold eval-graph.json and weights.safetensors (for constants): then the probabilities
are computed by that graph with the weights of the model that the program evaluated last. Without them the model itself is
run and the range of its output decides whether a sigmoid (softmax for two channels) follows.

Writes into DIR: observation.json as mode `check`; emitted.json, {"exit_code": 0, "method": "graph" | "model" | null,
"error": null, "seconds": s, "prediction_seconds": s, "epochs": [{"epoch": 1, "train_loss": x, "seconds": s}, ...]}; progress.json while it trains; and, where main.py
ended with 0, predictions.safetensors with the tensor `probability` (n 1 H W, float32) and `__metadata__.ids`.
The exit code is the program's own.
"""

import json
import os
import time

import torch

from . import check, data, launch, patches
from .interpreter import GraphError, Interpreter
from .observe import Observer
from .progress import Progress


def add_options(parser):
    parser.add_argument("--heldout", default="/heldout/heldout.safetensors")
    parser.add_argument("--capture", default="/capture")


def run(options):
    launch.seed_everything(options.seed)
    observer = Observer(Progress(options.record))
    patches.install(observer)
    start = time.monotonic()
    code, result = 1, {"method": None, "error": None}
    try:
        code = launch.run_program(options.program)
        end = time.monotonic()
        if code == 0:
            try:
                predict(options, observer.evaluated_model, result)
            except Exception as problem:
                result["error"] = f"{type(problem).__name__}: {problem}"
        result.update(exit_code=code, seconds=end - start, epochs=observer.epochs(end))
    finally:
        check.write_json(options.record, "observation.json", observer.observation())
        check.write_json(options.record, "emitted.json", result)
    launch.finish(code)


def predict(options, model, result):
    from safetensors.torch import save_file

    if model is None:
        result["error"] = "no model was evaluated on the batches of a DataLoader"
        return
    ids, images, _ = data.read_split_file(options.heldout)
    model.eval()
    with torch.no_grad():
        start = time.monotonic()
        try:
            probability = by_graph(options.capture, model, images)
            result["method"] = "graph"
        except (OSError, GraphError, KeyError, ValueError) as problem:
            result["note"] = f"the captured prediction was not used: {problem}"
            start = time.monotonic()
            probability = by_model(model, images)
            result["method"] = "model"
        result["prediction_seconds"] = time.monotonic() - start
    path = os.path.join(options.record, "predictions.safetensors")
    os.makedirs(options.record, exist_ok=True)
    save_file({"probability": probability.float().contiguous()}, path + ".part", metadata={"ids": json.dumps(ids)})
    os.replace(path + ".part", path)


def by_graph(folder, model, images):
    from safetensors.torch import load_file

    with open(os.path.join(folder, "eval-graph.json")) as file:
        graph = json.load(file)
    stored = load_file(os.path.join(folder, "weights.safetensors"))
    tensors = {leaf["name"]: stored[leaf["name"]] for leaf in graph["constants"]}
    tensors.update({name: t.detach() for name, t in model.named_buffers()})
    tensors.update({name: t.detach() for name, t in model.named_parameters()})
    interpreter = Interpreter(graph)
    parts = [interpreter.run({"image": part}, tensors, training=False)["probability"] for part in images.split(8)]
    return torch.cat(parts)


def by_model(model, images):
    outputs = []
    for part in images.split(8):
        result = model(part)
        tensors = [t for _, t in data.leaves(result) if isinstance(t, torch.Tensor)]
        outputs.append(tensors[0])
    output = torch.cat(outputs)
    inside = bool(output.min() >= 0) and bool(output.max() <= 1)
    if output.dim() == 4 and output.shape[1] == 2:
        output = (output if inside else torch.softmax(output, 1))[:, 1:2]
    elif not inside:
        output = torch.sigmoid(output)
    return output.reshape(output.shape[0], 1, *output.shape[-2:])
