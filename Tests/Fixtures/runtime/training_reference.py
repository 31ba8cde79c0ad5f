"""Trains a graph with PyTorch's optimizers and schedulers, for comparison.

    python training_reference.py FOLDER

FOLDER/graph.json and FOLDER/start.safetensors (parameters, buffers, and the batches `image.I`, `mask.I`) are what both sides start
from; FOLDER/runs.json lists the runs: `{"name", "optimizer": {"name", settings}, "scheduler": {"name", settings} or null,
"clip": {"kind", "max"} or null, "steps"}`. Writes FOLDER/results.json: per run the losses and the learning rate after each step, and
the scheduler sequences asked for in `schedules`.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import load_file

from op_reference import execute

torch.set_num_threads(1)


def learning_rates(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def loss_of(graph, env):
    for node in graph["nodes"]:
        env[node["outputs"][0]] = execute(node, [None if i is None else env[i] for i in node["inputs"]])
    return env[graph["outputs"]["loss"]]


def train(graph, start, run):
    parameters = {p["name"]: start[p["name"]].clone().requires_grad_(True) for p in graph["parameters"]}
    buffers = {b["name"]: start[b["name"]].clone() for b in graph["buffers"]}
    settings = dict(run["optimizer"])
    optimizer = getattr(torch.optim, settings.pop("name"))(parameters.values(), **settings)
    scheduler = None
    if run["scheduler"]:
        settings = dict(run["scheduler"])
        scheduler = getattr(torch.optim.lr_scheduler, settings.pop("name"))(optimizer, **settings)
    losses, rates = [], []
    for step in range(run["steps"]):
        env = {p["value"]: parameters[p["name"]] for p in graph["parameters"]}
        env.update({b["value"]: buffers[b["name"]] for b in graph["buffers"]})
        for i in graph["inputs"]:
            env[i["value"]] = start[f"{i['name']}.{step % 4}"]
        optimizer.zero_grad()
        loss = loss_of(graph, env)
        loss.backward()
        for node in graph["nodes"]:
            for v, t in zip(node["inputs"][3:5], node.pop("running", [])):
                name = [b["name"] for b in graph["buffers"] if b["value"] == v][0]
                buffers[name] = t.detach()
        if run["clip"] and run["clip"]["kind"] == "norm":
            torch.nn.utils.clip_grad_norm_(parameters.values(), run["clip"]["max"])
        elif run["clip"]:
            torch.nn.utils.clip_grad_value_(parameters.values(), run["clip"]["max"])
        optimizer.step()
        if scheduler:
            scheduler.step()
        losses.append(loss.item())
        rates.append(learning_rates(optimizer)[0])
    return {"name": run["name"], "losses": losses, "rates": rates}


def schedule(entry):
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([parameter], lr=entry["lr"])
    settings = dict(entry["scheduler"])
    scheduler = getattr(torch.optim.lr_scheduler, settings.pop("name"))(optimizer, **settings)
    rates = learning_rates(optimizer)
    for metric in entry["metrics"]:
        optimizer.step()
        if entry["scheduler"]["name"] == "ReduceLROnPlateau":
            scheduler.step(metric)
        else:
            scheduler.step()
        rates += learning_rates(optimizer)
    return rates


def main():
    folder = pathlib.Path(sys.argv[1])
    graph = json.loads((folder / "graph.json").read_text())
    for value in graph["values"]:
        value["shape"] = [4 * n["batch"] if isinstance(n, dict) else n for n in value["shape"]]
    start = load_file(str(folder / "start.safetensors"))
    plan = json.loads((folder / "runs.json").read_text())
    results = {"runs": [train(graph, start, run) for run in plan["runs"]],
               "schedules": [schedule(entry) for entry in plan["schedules"]]}
    (folder / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
