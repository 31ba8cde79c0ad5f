"""Mode `train-graph`: the `pytorch` engine. Trains a captured graph with PyTorch, without the generated code.

    python /helper/run.py train-graph --job FILE [--record DIR] [--seed N]

The job is a JSON object; paths are as they are inside the sandbox:

    {
      "capture": "/capture",        folder with train-graph.json, eval-graph.json, weights.safetensors and data/
      "pipeline": {...},            the object of pipeline.json: optimizer, scheduler, gradient_clip, accumulation,
                                    evaluated_weights, early_stopping and validation_batch_size are used
      "order": [[[3, 1], [0, 2]]],  epochs, of batches, of indices into data/train.safetensors; its length is the number
                                    of epochs
      "max_steps": null,            stop after so many batches (null: all)
      "dropout": "draw",            "draw" (from the seed) or "off" (every mask keeps everything)
      "threads": 2,
      "predict_validation": true    keep the validation probabilities of every epoch
    }

A job without `max_steps` goes on after the last whole epoch that an earlier process left in DIR, to the same bits; a
checkpoint of another job, or of other captured files, is not used.

Writes into DIR, each file complete or absent:
    steps.json                {"losses": [one per batch], "seconds": [one per batch]}
    epochs.json               {"epochs": [{"epoch": 1, "train_loss", "validation_loss" (the training graph in evaluation mode),
                              "validation_dice": [one per batch], "learning_rate" (of its first batch), "seconds"}],
                              "best_epoch": 1 or null, "stopped_early": false}
    validation.N.safetensors  `probability` of the validation set after epoch N, n 1 H W
    checkpoint.pt             state after the last whole epoch, for this helper alone
    progress.json             how far it is, while it trains
    final.safetensors         parameters and buffers of the weights that the pipeline evaluates (last or best)
    predictions.safetensors   `probability` for data/heldout.safetensors, n 1 H W, `__metadata__.ids`, where that exists
Exit code 0; 1 with one line on standard error when a loss is not finite (with the step) or the job cannot be run.
"""

import hashlib
import json
import math
import os
import sys
import time

import torch

from . import check, data
from .interpreter import GraphError, Interpreter
from .progress import Progress


CHECKPOINT = "checkpoint.pt"


def add_options(parser):
    parser.add_argument("--job", required=True)


def run(options):
    with open(options.job, "rb") as file:
        text = file.read()
    job = json.loads(text)
    torch.set_num_threads(int(job.get("threads") or 2))
    torch.manual_seed(options.seed)
    try:
        Trainer(job, options.record, identity(text, job["capture"])).run()
    except (GraphError, KeyError, ValueError, OSError) as problem:
        sys.exit(f"train-graph: {problem}")


def identity(job, capture):
    """Hash of all that a training depends on but the program itself."""
    digest = hashlib.sha256(job)
    for name in ("train-graph.json", "eval-graph.json", "weights.safetensors", "data/train.safetensors",
                 "data/validation.safetensors"):
        with open(os.path.join(capture, name), "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def dice(prediction, truth):
    """Dice of one batch as a whole; both empty is 1."""
    total = float(prediction.sum() + truth.sum())
    return 1.0 if total == 0 else 2.0 * float((prediction * truth).sum()) / total


def make_optimizer(spec, parameters):
    """An optimizer of PyTorch from its entry in pipeline.json."""
    cls = getattr(torch.optim, spec["name"])
    groups = []
    for group in spec["groups"]:
        arguments = {key: tuple(v) if key == "betas" else v for key, v in group.items() if key != "parameters"}
        groups.append({**arguments, "params": [parameters[name] for name in group["parameters"] if name in parameters]})
    # Adagrad fills its state from the argument of its constructor.
    shared = {key: value for key, value in spec["groups"][0].items() if key == "initial_accumulator_value"}
    return cls([g for g in groups if g["params"]], **shared)


def make_scheduler(spec, optimizer):
    """A scheduler of PyTorch from its entry in pipeline.json."""
    if spec is None:
        return None
    arguments = {k: v for k, v in spec.items() if k not in ("name", "when", "factors", "schedulers") and v is not None}
    schedulers = torch.optim.lr_scheduler
    if spec["name"] == "LambdaLR":
        tables = spec["factors"]
        if not isinstance(tables[0], list):
            tables = [tables] * len(optimizer.param_groups)
        return schedulers.LambdaLR(optimizer, [lambda e, t=table: t[min(e, len(t) - 1)] for table in tables])
    if "schedulers" in spec:
        arguments["schedulers"] = [make_scheduler(part, optimizer) for part in spec["schedulers"]]
    return getattr(schedulers, spec["name"])(optimizer=optimizer, **arguments)


class Trainer:
    def __init__(self, job, record, identity):
        self.job, self.record, self.pipeline, self.identity = job, record, job["pipeline"], identity
        self.progress = Progress(record)
        folder = job["capture"]
        self.train = Interpreter(_graph(folder, "train"))
        self.eval = Interpreter(_graph(folder, "eval"))
        self.validation = Interpreter(evaluation_mode(self.train.graph))
        from safetensors.torch import load_file

        self.tensors = load_file(os.path.join(folder, "weights.safetensors"))
        learnt = {leaf["name"] for leaf in self.train.graph["parameters"]}
        for name in learnt:
            self.tensors[name] = self.tensors[name].clone().requires_grad_(True)
        self.learnt = {name: self.tensors[name] for name in sorted(learnt)}
        self.optimizer = make_optimizer(self.pipeline["optimizer"], self.learnt)
        self.scheduler = make_scheduler(self.pipeline.get("scheduler"), self.optimizer)
        self.when = (self.pipeline.get("scheduler") or {}).get("when")
        self.data = {name: data.read_split_file(os.path.join(folder, "data", name + ".safetensors"))
                     for name in ("train", "validation")}
        self.heldout = os.path.join(folder, "data", "heldout.safetensors")
        self.losses, self.seconds, self.epochs = [], [], []
        self.best = None

    def run(self):
        self.progress.clear()
        self._resume()
        stopped = bool(self.epochs) and self._stops_early(len(self.epochs))
        for epoch, batches in enumerate(self.job["order"], 1):
            if stopped:
                break
            if epoch <= len(self.epochs):
                continue
            start, rate = time.monotonic(), self.optimizer.param_groups[0]["lr"]
            if not self._train_epoch(epoch, batches):
                break
            self._end_epoch(epoch, len(batches), start, rate)
            self._checkpoint()
            stopped = self._stops_early(epoch)
        self._write(stopped)

    def _checkpoint(self):
        if self.job.get("max_steps") is not None:
            return
        os.makedirs(self.record, exist_ok=True)
        path = os.path.join(self.record, CHECKPOINT)
        torch.save({
            "identity": self.identity, "tensors": self.tensors, "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler is not None else None,
            "random": torch.get_rng_state(), "losses": self.losses, "seconds": self.seconds, "epochs": self.epochs,
            "best": list(self.best) if self.best is not None else None}, path + ".part")
        os.replace(path + ".part", path)

    def _resume(self):
        """Takes up a checkpoint of the same job; one that cannot be read is passed over, and said."""
        if self.job.get("max_steps") is not None:
            return
        try:
            state = torch.load(os.path.join(self.record, CHECKPOINT), weights_only=True)
        except FileNotFoundError:
            return
        except Exception as problem:
            print(f"train-graph: the checkpoint cannot be read, the training starts again ({type(problem).__name__})")
            return
        if state["identity"] != self.identity:
            return
        with torch.no_grad():
            for name, tensor in state["tensors"].items():
                self.tensors[name].copy_(tensor)
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        torch.set_rng_state(state["random"])
        self.losses, self.seconds, self.epochs = state["losses"], state["seconds"], state["epochs"]
        self.best = tuple(state["best"]) if state["best"] is not None else None
        print(f"train-graph: goes on after epoch {len(self.epochs)}")

    def _train_epoch(self, epoch, batches):
        """One pass; false when the number of steps is used up."""
        accumulated, accumulation = 0, int(self.pipeline.get("accumulation") or 1)
        for number, indices in enumerate(batches, 1):
            if self.job.get("max_steps") is not None and len(self.losses) >= self.job["max_steps"]:
                return False
            start = time.monotonic()
            loss = self.train.run(self._batch("train", indices), self.tensors, self._draws(len(indices)))["loss"]
            if not math.isfinite(loss.item()):
                raise ValueError(f"the loss is {loss.item()} at step {len(self.losses) + 1}")
            loss.backward()
            accumulated += 1
            if accumulated == accumulation:
                self._clip()
                self.optimizer.step()
                self.optimizer.zero_grad()
                accumulated = 0
                if self.scheduler is not None and self.when == "batch":
                    self.scheduler.step()
            self.losses.append(loss.item())
            self.seconds.append(time.monotonic() - start)
            self.progress.step(epoch, len(self.job["order"]), number, len(batches), lambda: self.losses[-1])
        return True

    def _batch(self, part, indices):
        _, images, masks = self.data[part]
        found = {"image": images[indices]}
        if masks is not None:
            found["mask"] = masks[indices]
        return found

    def _draws(self, batch, everything=False):
        """Dropout masks in place of random ones: p everywhere, which the division by p behind it makes one."""
        if self.job.get("dropout") != "off" and not everything:
            return None
        found = {}
        for node in self.train.graph["nodes"]:
            if node["op"] == "bernoulli":
                shape = [s["batch"] * batch if isinstance(s, dict) else s for s in node["attributes"]["shape"]]
                found[node["outputs"][0]] = torch.full(shape, float(node["attributes"]["p"]))
        return found

    def _clip(self):
        clip = self.pipeline.get("gradient_clip")
        if clip is None:
            return
        if clip["kind"] == "norm":
            torch.nn.utils.clip_grad_norm_(self.learnt.values(), float(clip["max"]), float(clip["norm_type"]))
        else:
            torch.nn.utils.clip_grad_value_(self.learnt.values(), clip["max"])

    @torch.no_grad()
    def _end_epoch(self, epoch, steps, start, rate):
        ids, images, masks = self.data["validation"]
        size = int(self.pipeline.get("validation_batch_size") or 8)
        threshold, losses, scores, parts = self.eval.graph["threshold"], [], [], []
        for indices in torch.arange(len(ids)).split(size):
            batch = self._batch("validation", indices)
            kept = self._draws(len(indices), everything=True)
            losses.append(self.validation.run(batch, self.tensors, kept, training=False)["loss"].item())
            probability = self.eval.run({"image": batch["image"]}, self.tensors, training=False)["probability"]
            parts.append(probability)
            compare = torch.gt if threshold["comparison"] == "gt" else torch.ge
            truth = (batch["mask"] > 0).float().reshape(probability.shape)
            scores.append(dice(compare(probability, threshold["value"]).float(), truth))
        if self.job.get("predict_validation"):
            self._save({"probability": torch.cat(parts).contiguous()}, f"validation.{epoch}.safetensors")
        self.epochs.append({
            "epoch": epoch, "train_loss": sum(self.losses[-steps:]) / steps, "validation_loss": sum(losses) / len(losses),
            "validation_dice": scores, "learning_rate": rate,
            "seconds": time.monotonic() - start})
        self._keep_best(epoch)
        if self.scheduler is not None and self.when != "batch":
            if self.when.startswith("metric:"):
                self.scheduler.step(self._monitored(self.when.removeprefix("metric:"), self.epochs[-1]))
            else:
                self.scheduler.step()

    def _monitored(self, name, epoch):
        if name == "validation_dice":
            return sum(epoch["validation_dice"]) / len(epoch["validation_dice"])
        return epoch["validation_loss"]

    def _keep_best(self, epoch):
        weights = self.pipeline.get("evaluated_weights") or {"kind": "last"}
        if weights["kind"] != "best":
            return
        value = self._monitored(weights["monitor"], self.epochs[-1])
        better = self.best is None or (value < self.best[1] if weights["mode"] == "min" else value > self.best[1])
        if better:
            self.best = (epoch, value, {k: t.detach().clone() for k, t in self.tensors.items()})

    def _stops_early(self, epoch):
        rule = self.pipeline.get("early_stopping")
        if rule is None:
            return False
        values = [self._monitored(rule["monitor"], e) for e in self.epochs]
        sign, best, at = (1 if rule["mode"] == "min" else -1), math.inf, 0
        for i, value in enumerate(values, 1):
            if sign * value < best - rule.get("min_delta", 0):
                best, at = sign * value, i
        return epoch - at >= rule["patience"]

    def _save(self, tensors, name, metadata=None):
        from safetensors.torch import save_file

        os.makedirs(self.record, exist_ok=True)
        path = os.path.join(self.record, name)
        save_file(tensors, path + ".part", metadata=metadata)
        os.replace(path + ".part", path)

    def _write(self, stopped):
        if self.best is not None:
            self.tensors = self.best[2]
        final = {name: t.detach().contiguous().clone() for name, t in self.tensors.items()}

        prediction_seconds = None
        if os.path.exists(self.heldout) and self.epochs:
            ids, images, _ = data.read_split_file(self.heldout)
            start = time.monotonic()
            with torch.no_grad():
                parts = [self.eval.run({"image": p}, self.tensors, training=False)["probability"]
                         for p in images.split(8)]
            prediction_seconds = time.monotonic() - start
            self._save({"probability": torch.cat(parts).contiguous()}, "predictions.safetensors", {"ids": json.dumps(ids)})
        self._save(final, "final.safetensors")
        check.write_json(self.record, "steps.json", {"losses": self.losses, "seconds": self.seconds})
        check.write_json(self.record, "epochs.json", {
            "epochs": self.epochs, "best_epoch": self.best[0] if self.best else None, "stopped_early": stopped,
            "prediction_seconds": prediction_seconds})


def evaluation_mode(graph):
    """The training graph as the model computes it in evaluation mode: running statistics in every batch norm."""
    nodes = []
    for node in graph["nodes"]:
        if node["op"] == "batch_norm" and len(node["inputs"]) > 3 and node["inputs"][3] is not None:
            node = {**node, "attributes": {**node["attributes"], "training": False}}
        nodes.append(node)
    return {**graph, "nodes": nodes}


def _graph(folder, kind):
    with open(os.path.join(folder, kind + "-graph.json")) as file:
        return json.load(file)
