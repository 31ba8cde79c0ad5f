"""Mode `capture`: one run of main.py on the full training data, cut short wherever nothing new can be learnt.

    python /helper/run.py capture [--record DIR] [--seed N] -- main.py --data /data --out /out

Writes into DIR: train-graph.json, eval-graph.json, weights.safetensors, pipeline.json, data/{train,validation,test}
.safetensors (see Documentation/GraphFormat.md). Exits with 0 whenever pipeline.json was written; what could not be
captured stands in its `refusals`.

How it goes. The first two batches of the first training pass are recorded (the second with another number of items), then
one validation pass with two batches. From the second epoch on the epochs are only skimmed: each pass gets a batch of two
items, and the model's forward pass is replaced by a made-up output, so that the validation loss and Dice can be chosen:

    epoch 2    low loss, Dice 0      (a monitor of the loss improves, a monitor of Dice does not)
    epoch 3    high loss, Dice 1     (the other way round)
    later      high loss, Dice 0     (no monitor improves)

Each epoch leaves a mark in one weight. Which weights the test sees, which value a scheduler is given, and how long the
loop goes on without an improvement then tell the monitor of best-weight restoring, of the scheduler, and the patience.
"""

import atexit
import json
import os
import sys

import torch

from . import data, facts, launch, loop, opened, patches, prediction
from .conductor import Conductor
from .graph import Draft, unify
from .interpreter import GraphError, Interpreter
from .ops import Refused


def run(options):
    torch.set_num_threads(max(1, min(4, len(os.sched_getaffinity(0)))))
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    launch.seed_everything(options.seed)
    program = options.program
    code_root = os.path.dirname(os.path.abspath(program[0]))
    data_root = program[program.index("--data") + 1] if "--data" in program else "/data"
    files = opened.watch(data_root)
    conductor = Conductor(code_root, files)
    patches.install(conductor)
    patches.record_inference_mode()
    failure = None
    try:
        code = launch.run_program(program)
        if code != 0:
            failure = f"main.py ended with exit code {code} while it was captured"
    except launch.Stop:
        pass
    conductor.finish()
    write(options.record, conductor, failure)
    atexit._clear()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class Report:
    """Collects refusals and notes while the parts of pipeline.json are made one by one."""

    def __init__(self):
        self.refusals, self.notes = [], []

    def attempt(self, make, fallback=None):
        try:
            return make()
        except (Refused, GraphError) as refusal:
            if str(refusal) not in self.refusals:
                self.refusals.append(str(refusal))
            return fallback


def write(folder, conductor, failure):
    os.makedirs(folder, exist_ok=True)
    report = Report()
    report.refusals += list(dict.fromkeys(conductor.refusals))
    report.notes += conductor.notes
    if failure and not conductor.steps:
        write_json(os.path.join(folder, "pipeline.json"), {"schema": 1, "capturable": False, "refusals": [failure]})
        return
    if failure and not conductor.test_seen():
        report.refusals.append(failure)
    elif failure:
        report.notes.append(failure)
    constants = {}
    # Under autocast every operation has another type than the format knows, and one line says it.
    graphs = Report() if conductor.mixed_precision else report
    train = graphs.attempt(lambda: train_graph(conductor, constants))
    evaluation = graphs.attempt(lambda: eval_graph(conductor, constants))
    checks = {}
    if train is not None:
        report.attempt(lambda: check_train(conductor, train, constants, checks))
    if evaluation is not None:
        report.attempt(lambda: check_eval(conductor, evaluation, constants, checks))
    pipeline = {"schema": 1, "capturable": True, "refusals": [], "notes": report.notes, "stochastic_data": False}
    describe_loop(report, conductor, pipeline)
    splits, reader = report.attempt(lambda: read_data(conductor, pipeline), ({}, None))
    pipeline["facts"] = facts.collect(conductor, train, evaluation, pipeline, splits, reader)
    pipeline["checks"] = checks
    if evaluation is not None:
        write_json(os.path.join(folder, "eval-graph.json"), evaluation)
    if train is not None:
        write_json(os.path.join(folder, "train-graph.json"), train)
        write_weights(os.path.join(folder, "weights.safetensors"), conductor, constants, [train, evaluation])
    for name, split in splits.items():
        data.write_split(os.path.join(folder, "data", name + ".safetensors"), split)
    if pipeline["stochastic_data"]:
        report.notes.append("two readings of an item differ: only the emitted engine can train this pipeline")
    pipeline["refusals"] = report.refusals
    pipeline["capturable"] = not report.refusals
    write_json(os.path.join(folder, "pipeline.json"), pipeline)


def write_json(path, thing):
    with open(path + ".part", "w") as file:
        json.dump(thing, file, allow_nan=False, separators=(",", ":") if "graph" in path else None,
                  indent=None if "graph" in path else 1)
    os.replace(path + ".part", path)


def write_weights(path, conductor, constants, graphs):
    """Writes the tensors that either graph reads."""
    from safetensors.torch import save_file

    everything = {**conductor.steps[0].snapshot.named(), **constants}
    read = [leaf["name"] for graph in graphs if graph for kind in ("parameters", "buffers", "constants")
            for leaf in graph[kind]]
    tensors = {name: everything[name] for name in dict.fromkeys(read) if name in everything}
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, path + ".part")
    os.replace(path + ".part", path)


def leaf_namer(trace, snapshot, constants):
    """Names the leaves of a trace; constants of equal content share a name across graphs."""

    def name(raw, tensor):
        if raw in trace.named:
            return "inputs", trace.named[raw]
        found = snapshot.find(tensor)
        if found is not None:
            return found
        for known, kept in constants.items():
            if kept.shape == tensor.shape and kept.dtype == tensor.dtype and torch.equal(kept, tensor.detach()):
                return "constants", known
        known = f"constant.{len(constants)}"
        constants[known] = tensor.detach().clone()
        return "constants", known

    return name


def train_graph(conductor, constants):
    if len(conductor.steps) < 2:
        raise Refused("no two training steps were seen: no tensor of a DataLoader's batch led to backward()")
    drafts = []
    for step in conductor.steps[:2]:
        draft = Draft(step.trace, step.loss, leaf_namer(step.trace, step.snapshot, constants))
        draft.prune([draft.target])
        drafts.append(draft)
    sizes = [step.batch for step in conductor.steps[:2]]
    graph = unify(*drafts, sizes)
    graph["kind"] = "train"
    rename_inputs(conductor, graph)
    graph["outputs"] = {"loss": drafts[0].target}
    if not graph["parameters"]:
        raise Refused("the loss does not depend on any parameter of the model")
    conductor.train_draws = [draft.draws for draft in drafts]
    outputs = [drafts[0].bound(value) for value in conductor.steps[0].outputs]
    conductor.model_output = next((o for o in outputs if o is not None), None)
    return graph


def eval_graph(conductor, constants):
    info = conductor.evaluated()
    if info is None:
        raise Refused("no evaluation pass over a DataLoader was seen")
    drafts, found = [], None
    for step in info.eval_traces[:2]:
        found = prediction.find(step.trace, step.outputs)
        drafts.append(prediction.draft(step.trace, found, leaf_namer(step.trace, step.snapshot, constants),
                                       step.image_shape))
    graph = unify(*drafts, [step.batch for step in info.eval_traces[:2]])
    graph["kind"] = "eval"
    rename_inputs(conductor, graph)
    if [leaf["name"] for leaf in graph["inputs"]] != ["image"]:
        raise Refused("the prediction needs more than the image")
    graph["outputs"] = {"probability": drafts[0].target}
    graph["threshold"] = {"value": found.threshold, "comparison": found.comparison}
    if any(node["op"] == "bernoulli" for node in graph["nodes"]):
        raise Refused("the prediction draws random numbers (dropout is active in evaluation)")
    if found.note:
        conductor.notes.append(found.note)
    conductor.prediction = found
    return graph


def rename_inputs(conductor, graph):
    keys = {conductor.image_key: "image", conductor.mask_key: "mask"}
    for leaf in graph["inputs"]:
        if leaf["name"] not in keys or leaf["name"] is None:
            raise Refused(f"the step reads item {leaf['name']} of the batch, which is neither image nor mask")
        leaf["name"] = keys[leaf["name"]]


def named_inputs(conductor, graph, step):
    by_name = {"image": conductor.image_key, "mask": conductor.mask_key}
    return {leaf["name"]: step.items[by_name[leaf["name"]]] for leaf in graph["inputs"]}


def check_train(conductor, graph, constants, checks):
    """Computes both recorded steps from the graph; it must give the losses that were recorded."""
    interpreter, worst = Interpreter(graph), 0.0
    for step, draws in zip(conductor.steps[:2], conductor.train_draws):
        tensors = {**step.snapshot.named(), **constants}
        with torch.no_grad():
            loss = interpreter.run(named_inputs(conductor, graph, step), tensors, draws, training=False)["loss"]
        difference = abs(loss.item() - step.loss_value) / max(abs(step.loss_value), 1e-12)
        worst = max(worst, difference)
    checks["train_loss_relative_difference"] = worst
    if not worst <= 1e-5:
        raise Refused(f"the captured step gives another loss than the pipeline (relative difference {worst:.1e})")


def check_eval(conductor, graph, constants, checks):
    """Computes the recorded evaluation steps from the graph; it must give the recorded model output."""
    interpreter, worst = Interpreter(graph), 0.0
    info = conductor.evaluated()
    for step in info.eval_traces[:2]:
        tensors = {**step.snapshot.named(), **constants}
        with torch.no_grad():
            found = interpreter.run(named_inputs(conductor, graph, step), tensors, training=False)["probability"]
        expected = step.expected(conductor.prediction)
        if expected is None:
            continue
        worst = max(worst, (found.reshape(-1) - expected.reshape(-1)).abs().max().item())
    checks["probability_largest_difference"] = worst
    if not worst <= 1e-4:
        raise Refused(f"the captured prediction differs from the pipeline's by {worst:.1e}")


def describe_loop(report, conductor, pipeline):
    epochs = conductor.epochs()
    pipeline["optimizer"] = report.attempt(conductor.describe_optimizer)
    pipeline["scheduler"] = report.attempt(lambda: conductor.describe_scheduler(epochs))
    pipeline["gradient_clip"] = report.attempt(conductor.describe_clip)
    pipeline["accumulation"] = conductor.accumulation()
    pipeline["mixed_precision"] = conductor.mixed_precision
    pipeline["evaluated_weights"] = report.attempt(conductor.describe_evaluated_weights, {"kind": "last"})
    pipeline["early_stopping"] = report.attempt(
        lambda: conductor.describe_early_stopping(epochs, pipeline["evaluated_weights"]))
    train, validation, test = conductor.roles()
    for key, info in (("batch_size", train), ("validation_batch_size", validation), ("test_batch_size", test)):
        pipeline[key] = info.loader.batch_size if info is not None else None
    pipeline["drop_last"] = bool(train.loader.drop_last) if train else False
    pipeline["shuffle"] = train.shuffles() if train else False
    pipeline["epochs"] = epochs
    own = conductor.default_epochs
    pipeline["own_epochs"] = own if isinstance(own, int) and not isinstance(own, bool) else None
    pipeline["seed"] = conductor.seed
    pipeline["inputs"] = [{"name": "image", "item": item(conductor.image_key)},
                          {"name": "mask", "item": item(conductor.mask_key)}]


def item(key):
    return int(key) if key is not None and key.isdigit() else key


def read_data(conductor, pipeline):
    if conductor.image_key is None:
        raise Refused("the image was not found among the items of a batch")
    reader = data.Reader(conductor.files)
    splits, pipeline["split"] = {}, {}
    torch.set_grad_enabled(True)
    for name, info in zip(("train", "validation", "test"), conductor.roles()):
        if info is None:
            raise Refused(f"no {name} set reached a DataLoader")
        conductor.paused = True
        split, stochastic = data.read_split(reader, info, info.indices(), conductor.image_key, conductor.mask_key)
        pipeline["stochastic_data"] |= stochastic
        if any(i is None for i in split.ids):
            raise Refused(f"items of the {name} set could not be told apart by their files")
        splits[name] = split
        pipeline["split"][name] = split.ids
    return splits, reader
