"""What torch.optim, its schedulers, gradient clipping and averaged weights compute, for comparison.

    python optim_reference.py FOLDER

FOLDER/plan.json: `{"optimizers": [...], "schedules": [...], "clips": [...], "averages": [...]}`; FOLDER/data.safetensors has the
tensors that it names. Writes FOLDER/results.safetensors and FOLDER/results.json.

- optimizer `{"name", "groups": [settings with "parameters": [names]], "steps", "report": [steps]}` of case number C: parameters
  `C/<name>`, gradients `C/<step>/<name>`, absent ones None. Results `C/<step>/<name>` and `C/<step>/<name>.<state>`.
- schedule `{"optimizer", "lr": [one a group], "scheduler": {"name", settings}, "metrics": [one a step]}`. Results: the rates, and
  the momenta, of all groups before the first step and after each.
- clip `{"kind", "max", "norm_type", "tensors": [names]}`. Results: the norm, and the gradients `clip/C/<name>`.
- average `{"decay", "corrects_bias", "steps", "parameters", "buffers"}` of case C: weights `average/C/<step>/<name>`. Results
  `average/C/<step>/<name>`.
"""

import json
import pathlib
import sys
import warnings

import torch
from safetensors.torch import load_file, save_file

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
infinite = {"inf": float("inf")}


def optimize(number, case, data, results):
    groups, parameters = [], {}
    for group in case["groups"]:
        settings = {k: tuple(v) if k == "betas" else v for k, v in group.items() if k != "parameters"}
        for name in group["parameters"]:
            parameters[name] = data[f"{number}/{name}"].clone().requires_grad_(True)
        groups.append({**settings, "params": [parameters[n] for n in group["parameters"]]})
    # Adagrad makes its state at once, from the argument of its constructor and not from that of a group.
    shared = {k: v for k, v in case["groups"][0].items() if k == "initial_accumulator_value"}
    optimizer = getattr(torch.optim, case["name"])(groups, **shared)
    for step in range(case["steps"]):
        for name, parameter in parameters.items():
            gradient = data.get(f"{number}/{step}/{name}")
            parameter.grad = gradient.clone() if gradient is not None else None
        optimizer.step()
        if step + 1 in case["report"]:
            for name, parameter in parameters.items():
                results[f"{number}/{step + 1}/{name}"] = parameter.detach().clone()
                state = optimizer.state[parameter]
                for key, value in state.items():
                    if key != "step" and value is not None and state.get("step", 1) > 0:
                        results[f"{number}/{step + 1}/{name}.{key}"] = value.clone()


def make(spec, optimizer):
    settings = dict(spec)
    name = settings.pop("name")
    cls = getattr(torch.optim.lr_scheduler, name)
    if "schedulers" in settings:
        settings["schedulers"] = [make(s, optimizer) for s in settings["schedulers"]]
    if name == "LambdaLR":
        tables = settings.pop("factors")
        tables = tables if isinstance(tables[0], list) else [tables] * len(optimizer.param_groups)
        settings["lr_lambda"] = [lambda e, t=t: t[min(e, len(t) - 1)] for t in tables]
    if name == "ChainedScheduler":
        return cls(settings["schedulers"], optimizer=optimizer)
    return cls(optimizer, **settings)


def schedule(entry):
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in entry["lr"]]
    optimizer = getattr(torch.optim, entry["optimizer"])(groups, lr=1.0)
    scheduler = make(entry["scheduler"], optimizer)

    def seen():
        groups = optimizer.param_groups
        return [g["lr"] for g in groups], [g["betas"][0] if "betas" in g else g.get("momentum") for g in groups]

    rates, momenta = [list(part) for part in seen()]
    for metric in entry["metrics"]:
        optimizer.step()
        scheduler.step(metric) if entry["scheduler"]["name"] == "ReduceLROnPlateau" else scheduler.step()
        now = seen()
        rates += now[0]
        momenta += now[1]
    return {"rates": rates, "momenta": momenta}


def clip(number, case, data, results):
    parameters = []
    for name in case["tensors"]:
        gradient = data[name].clone()
        parameters.append(torch.zeros_like(gradient, requires_grad=True))
        parameters[-1].grad = gradient
    norm = None
    if case["kind"] == "norm":
        kind = infinite.get(case["norm_type"], case["norm_type"])
        norm = torch.nn.utils.clip_grad_norm_(parameters, case["max"], norm_type=kind, error_if_nonfinite=False).item()
    else:
        torch.nn.utils.clip_grad_value_(parameters, case["max"])
    for name, parameter in zip(case["tensors"], parameters):
        results[f"clip/{number}/{name}"] = parameter.grad
    return norm


def average(number, case, data, results):
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    model = torch.nn.Module()

    def load(step):
        for name in case["parameters"] + case["buffers"]:
            tensor = data[f"average/{number}/{step}/{name}"].clone()
            if name in case["buffers"]:
                model.register_buffer(name, tensor)
            else:
                model.register_parameter(name, torch.nn.Parameter(tensor))

    decay = case["decay"]

    def corrected(old, new, count):
        return torch.lerp(old, new, (1 - decay) / (1 - decay ** (int(count) + 1)))

    load(0)
    chosen = {"avg_fn": corrected} if case["corrects_bias"] else {"multi_avg_fn": get_ema_multi_avg_fn(decay)}
    averaged = AveragedModel(model, **chosen)
    with torch.no_grad():
        for step in range(1, case["steps"] + 1):
            load(step)
            averaged.update_parameters(model)
            for name in case["parameters"] + case["buffers"]:
                results[f"average/{number}/{step}/{name}"] = getattr(averaged.module, name).detach().clone()


def main():
    folder = pathlib.Path(sys.argv[1])
    plan = json.loads((folder / "plan.json").read_text())
    data = load_file(str(folder / "data.safetensors"))
    results = {}
    for number, case in enumerate(plan.get("optimizers", [])):
        optimize(number, case, data, results)
    for number, case in enumerate(plan.get("averages", [])):
        average(number, case, data, results)
    norms = [clip(number, case, data, results) for number, case in enumerate(plan.get("clips", []))]
    schedules = [schedule(entry) for entry in plan.get("schedules", [])]
    save_file({k: v.contiguous() for k, v in results.items()}, str(folder / "results.safetensors"))
    (folder / "results.json").write_text(json.dumps({"norms": norms, "schedules": schedules}))


if __name__ == "__main__":
    main()
