"""What surrounds the step: optimizer, scheduler, clipping, accumulation, seeds."""

import math

import torch

from .ops import Refused

OPTIMIZERS = {
    "Adam": ("lr", "betas", "eps", "weight_decay", "amsgrad"),
    "AdamW": ("lr", "betas", "eps", "weight_decay", "amsgrad"),
    "SGD": ("lr", "momentum", "dampening", "weight_decay", "nesterov"),
    "RMSprop": ("lr", "alpha", "eps", "weight_decay", "momentum", "centered"),
}
SCHEDULERS = {
    "StepLR": ("step_size", "gamma"), "MultiStepLR": ("milestones", "gamma"), "ExponentialLR": ("gamma",),
    "CosineAnnealingLR": ("T_max", "eta_min"), "CosineAnnealingWarmRestarts": ("T_0", "T_mult", "eta_min"),
    "ReduceLROnPlateau": ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps"),
    "LinearLR": ("start_factor", "end_factor", "total_iters"), "ConstantLR": ("factor", "total_iters"),
    "PolynomialLR": ("total_iters", "power"), "LambdaLR": (),
    "OneCycleLR": ("max_lr", "total_steps", "epochs", "steps_per_epoch", "pct_start", "anneal_strategy",
                   "cycle_momentum", "base_momentum", "max_momentum", "div_factor", "final_div_factor", "three_phase"),
}


def plain(value):
    """A JSON value of a hyperparameter."""
    if isinstance(value, torch.Tensor):
        return plain(value.item())
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "inf" if value > 0 else "-inf" if value < 0 else "nan"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise Refused(f"a hyperparameter of type {type(value).__name__}")


def describe_optimizer(optimizer, names, groups):
    """The optimizer's entry of pipeline.json. `groups` are its parameter groups as they were before the first step."""
    name = type(optimizer).__name__
    if name not in OPTIMIZERS or type(optimizer).__module__.split(".")[0] != "torch":
        raise Refused(f"optimizer {name}: only {', '.join(OPTIMIZERS)} are known")
    described = []
    for group in groups:
        if group.get("maximize"):
            raise Refused("an optimizer that maximizes")
        if group.get("decoupled_weight_decay") and name == "Adam":
            raise Refused("Adam with decoupled weight decay")
        entry = {key: plain(group[key]) for key in OPTIMIZERS[name] if key in group}
        members = []
        for parameter in group["params"]:
            if id(parameter) not in names:
                raise Refused("the optimizer updates a tensor that is no parameter of the model")
            if parameter.requires_grad:
                members.append(names[id(parameter)])
        entry["parameters"] = members
        described.append(entry)
    return {"name": name, "groups": described}


def hyperparameters(optimizer):
    """A copy of the parameter groups, tensors of `params` shared."""
    return [{key: (list(value) if key == "params" else value) for key, value in group.items()}
            for group in optimizer.param_groups]


def describe_scheduler(scheduler, arguments, when, epochs):
    """The scheduler's entry of pipeline.json."""
    name = type(scheduler).__name__
    if name not in SCHEDULERS:
        raise Refused(f"scheduler {name} is not known")
    entry = {"name": name, "when": when}
    for key in SCHEDULERS[name]:
        if key in arguments:
            entry[key] = plain(arguments[key])
    if name == "LambdaLR":
        if when != "epoch":
            raise Refused("a LambdaLR that steps with every batch")
        if len(scheduler.lr_lambdas) > 1 and len({id(f) for f in scheduler.lr_lambdas}) > 1:
            raise Refused("a LambdaLR with several functions")
        entry["factors"] = [float(scheduler.lr_lambdas[0](e)) for e in range((epochs or 0) + 1)]
    return entry
