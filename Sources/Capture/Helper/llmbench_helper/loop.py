"""What surrounds the step: optimizer, scheduler, clipping, accumulation, seeds."""

import math
import numbers

import torch

from .ops import Refused

OPTIMIZERS = {
    "Adam": ("lr", "betas", "eps", "weight_decay", "amsgrad"),
    "AdamW": ("lr", "betas", "eps", "weight_decay", "amsgrad"),
    "SGD": ("lr", "momentum", "dampening", "weight_decay", "nesterov"),
    "RMSprop": ("lr", "alpha", "eps", "weight_decay", "momentum", "centered"),
    "Adagrad": ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"),
    "NAdam": ("lr", "betas", "eps", "weight_decay", "momentum_decay"),
    "RAdam": ("lr", "betas", "eps", "weight_decay"),
    "Adamax": ("lr", "betas", "eps", "weight_decay"),
    "Adadelta": ("lr", "rho", "eps", "weight_decay"),
}
# Described only where they are set, and only for the classes that have them.
FLAGS = {"maximize": set(OPTIMIZERS), "decoupled_weight_decay": {"Adam", "NAdam", "RAdam"}}
SCHEDULERS = {
    "StepLR": ("step_size", "gamma"), "MultiStepLR": ("milestones", "gamma"), "ExponentialLR": ("gamma",),
    "CosineAnnealingLR": ("T_max", "eta_min"), "CosineAnnealingWarmRestarts": ("T_0", "T_mult", "eta_min"),
    "ReduceLROnPlateau": ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps"),
    "LinearLR": ("start_factor", "end_factor", "total_iters"), "ConstantLR": ("factor", "total_iters"),
    "PolynomialLR": ("total_iters", "power"), "LambdaLR": (), "SequentialLR": ("milestones",), "ChainedScheduler": (),
    "OneCycleLR": ("max_lr", "total_steps", "epochs", "steps_per_epoch", "pct_start", "anneal_strategy",
                   "cycle_momentum", "base_momentum", "max_momentum", "div_factor", "final_div_factor", "three_phase"),
}
# Schedulers that a sequence or chain may hold.
SIMPLE = set(SCHEDULERS) - {"ReduceLROnPlateau", "OneCycleLR", "SequentialLR", "ChainedScheduler"}
# Values of a function that are written down at most.
LONGEST_TABLE = 200_000


def plain(value):
    """A JSON value of a hyperparameter."""
    if isinstance(value, torch.Tensor):
        return plain(value.item())
    if isinstance(value, (tuple, list, range)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "inf" if value > 0 else "-inf" if value < 0 else "nan"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise Refused(f"a hyperparameter of type {type(value).__name__}")


def describe_optimizer(optimizer, names, groups):
    """The optimizer's entry of pipeline.json. `groups` are its parameter groups as they were before the first step."""
    name = type(optimizer).__name__
    if name not in OPTIMIZERS or type(optimizer).__module__.split(".")[0] != "torch":
        raise Refused(f"optimizer {name}: only {', '.join(OPTIMIZERS)} are known")
    described = []
    for group in groups:
        entry = {key: plain(group[key]) for key in OPTIMIZERS[name] if key in group}
        if name == "Adagrad":
            # Its state was filled from the argument of the constructor, whatever a group says.
            entry["initial_accumulator_value"] = plain(optimizer.defaults["initial_accumulator_value"])
        entry.update({flag: True for flag, names_with in FLAGS.items() if name in names_with and group.get(flag)})
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


def describe_scheduler(scheduler, arguments, when, steps, made=()):
    """The scheduler's entry of pipeline.json.

    `steps` is how often it steps in the whole training; `made` are all schedulers of the program with their arguments, among
    them the parts of a sequence or chain.
    """
    name = type(scheduler).__name__
    if name not in SCHEDULERS or type(scheduler).__module__ != "torch.optim.lr_scheduler":
        raise Refused(f"scheduler {name} is not known")
    entry = {"name": name} if when is None else {"name": name, "when": when}
    for key in SCHEDULERS[name]:
        if key in arguments:
            entry[key] = plain(arguments[key])
    if name == "LambdaLR":
        entry["factors"] = factors(scheduler, steps)
    if name in ("SequentialLR", "ChainedScheduler"):
        entry["schedulers"] = [describe_part(name, part, steps, made) for part in scheduler._schedulers]
    return entry


def describe_part(whole, part, steps, made):
    name = type(part).__name__
    if name not in SIMPLE and not (whole == "ChainedScheduler" and name == "SequentialLR"):
        raise Refused(f"a {whole} that holds a {name}")
    found = [arguments for scheduler, arguments in made if scheduler is part]
    if len(found) != 1:
        raise Refused(f"a {whole} with a {name} whose making was not seen")
    return describe_scheduler(part, found[0], None, steps, made)


def factors(scheduler, steps):
    """The values of a LambdaLR's function, one list for all groups or one a group."""
    if steps is None or steps > LONGEST_TABLE:
        raise Refused(f"a LambdaLR that steps {steps} times")
    functions = scheduler.lr_lambdas
    if len({id(f) for f in functions}) == 1:
        functions = functions[:1]
    try:
        tables = [[float(function(step)) for step in range(steps + 1)] for function in functions]
    except Exception as problem:
        raise Refused(f"the function of a LambdaLR fails when it is called again ({type(problem).__name__})") from None
    if not all(math.isfinite(value) for table in tables for value in table):
        raise Refused("a LambdaLR whose function is not finite")
    return tables[0] if len(tables) == 1 else tables
