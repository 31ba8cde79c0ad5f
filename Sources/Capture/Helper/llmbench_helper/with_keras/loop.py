"""What surrounds the step in `Model.fit`: optimizer, learning rate, callbacks. Keras states them, so they are read and not measured."""

import math

import numpy

from ..refusal import Refused

LONGEST_TABLE = 200_000
# What a callback of the program's own may not touch, since nobody would see it.
TOUCHED = {"stop_training", "set_weights", "load_weights", "learning_rate", "assign", "set_value"}


def number(value):
    """A number of Keras, which holds it in single precision, as it was written."""
    return float(str(numpy.asarray(value, numpy.float32)))


def require_plain(optimizer):
    for name, plain in (("use_ema", False), ("gradient_accumulation_steps", None), ("loss_scale_factor", None), ("clipnorm", None)):
        if getattr(optimizer, name, plain) not in (plain, False):
            raise Refused(f"an optimizer with {name}")
    if getattr(optimizer, "_exclude_from_weight_decay_names", None) or getattr(optimizer, "_exclude_from_weight_decay", None):
        raise Refused("an optimizer that spares some weights from weight decay")


def describe_optimizer(optimizer, names, rate):
    """The optimizer's entry of pipeline.json; `rate` is its first learning rate, `names` the parameters."""
    kind = type(optimizer).__name__
    if type(optimizer).__module__.split(".")[0] != "keras":
        raise Refused(f"an optimizer of the program's own ({kind})")
    require_plain(optimizer)
    decay = float(optimizer.weight_decay or 0)
    group = {"lr": rate, "weight_decay": decay}
    if kind in ("Adam", "AdamW"):
        # Keras adds ε to the root before the correction of its bias.
        group |= {"betas": [number(optimizer.beta_1), number(optimizer.beta_2)], "eps": number(optimizer.epsilon),
                  "amsgrad": bool(optimizer.amsgrad), "epsilon_hat": True}
        kind = "AdamW" if decay or kind == "AdamW" else "Adam"
    elif kind == "SGD":
        if decay:
            raise Refused("SGD with Keras' weight decay, which is not PyTorch's")
        momentum = float(optimizer.momentum)
        group |= {"momentum": momentum, "dampening": 0, "nesterov": bool(optimizer.nesterov) and momentum > 0}
    elif kind == "RMSprop":
        if decay:
            raise Refused("RMSprop with Keras' weight decay, which is not PyTorch's")
        group |= {"alpha": float(optimizer.rho), "eps": float(optimizer.epsilon), "momentum": float(optimizer.momentum),
                  "centered": bool(optimizer.centered), "epsilon_in_root": True}
    else:
        raise Refused(f"the optimizer {kind} of Keras, whose rule is not that of PyTorch's")
    return {"name": kind, "groups": [{**group, "parameters": names}]}


def schedule_of(optimizer):
    """The function from steps to learning rates, or None where the rate is a number."""
    import keras

    rate = optimizer._learning_rate
    return rate if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) else None


def table(function, count, when):
    """(first rate, scheduler) of rates by step or epoch: the rates as multiples of the largest."""
    if count is None or count > LONGEST_TABLE:
        raise Refused(f"a schedule of {count} steps")
    rates = [number(function(step)) for step in range(count + 1)]
    if not all(math.isfinite(r) and r >= 0 for r in rates) or not max(rates):
        raise Refused("a schedule whose rates are not finite and positive")
    base = max(rates)
    return base, {"name": "LambdaLR", "when": when, "factors": [r / base for r in rates]}


MONITORS = {"val_loss": "validation_loss", "loss": "train_loss"}


def monitored(name):
    if name in MONITORS:
        return MONITORS[name]
    raise Refused(f"a callback that watches {name}, which is not measured here")


def mode_of(callback):
    mode = getattr(callback, "mode", "auto")
    if mode in ("min", "max"):
        return mode
    name = callback.monitor
    return "max" if name.endswith(("acc", "accuracy", "auc")) or "dice" in name else "min"


class Callbacks:
    """What the callbacks of a `fit` do to its loop."""

    def __init__(self, callbacks, epochs, rate):
        self.scheduler, self.stopping, self.best, self.saved_best = None, None, None, None
        self.rate, self.epochs = rate, epochs
        for callback in callbacks:
            self._take(callback)

    def _take(self, callback):
        import keras

        kinds = keras.callbacks
        if isinstance(callback, kinds.EarlyStopping):
            self._stop(callback)
        elif isinstance(callback, kinds.ReduceLROnPlateau):
            self._once()
            # Keras counts the epoch that does not improve, PyTorch those that went before it.
            self.scheduler = {
                "name": "ReduceLROnPlateau", "when": "metric:" + monitored(callback.monitor), "mode": mode_of(callback),
                "factor": float(callback.factor), "patience": max(int(callback.patience) - 1, 0),
                "threshold": abs(float(callback.min_delta)), "threshold_mode": "abs", "cooldown": int(callback.cooldown),
                "min_lr": float(callback.min_lr), "eps": 0.0}
        elif isinstance(callback, kinds.LearningRateScheduler):
            self._once()
            self._schedule(callback)
        elif isinstance(callback, kinds.ModelCheckpoint):
            if callback.save_best_only:
                self.saved_best = {"kind": "best", "monitor": callback.monitor, "mode": mode_of(callback)}
        elif isinstance(callback, kinds.SwapEMAWeights):
            raise Refused("weights that are a moving average")
        elif type(callback).__module__.split(".")[0] != "keras":
            touched = TOUCHED & set(names_of(type(callback)))
            if touched:
                raise Refused(f"the program's own callback {type(callback).__name__}, which uses {', '.join(sorted(touched))}")

    def _once(self):
        if self.scheduler is not None:
            raise Refused("two callbacks that change the learning rate")

    def _stop(self, callback):
        if callback.start_from_epoch or callback.baseline is not None:
            raise Refused("early stopping with a baseline or a late start")
        monitor, mode = monitored(callback.monitor), mode_of(callback)
        self.stopping = {"monitor": monitor, "mode": mode, "patience": int(callback.patience),
                         "min_delta": abs(float(callback.min_delta))}
        if callback.restore_best_weights:
            if callback.min_delta:
                raise Refused("best weights that have to be better by a margin")
            self.best = {"kind": "best", "monitor": monitor, "mode": mode}

    def _schedule(self, callback):
        import inspect

        rates, two = [], len(inspect.signature(callback.schedule).parameters) > 1
        for epoch in range((self.epochs or 0) + 1):
            before = rates[-1] if rates else self.rate
            rates.append(number(callback.schedule(epoch, before) if two else callback.schedule(epoch)))
        self.rate, self.scheduler = table(lambda epoch: rates[epoch], len(rates) - 1, "epoch")


def names_of(cls):
    """The names that the methods of a class read or write."""
    found = []
    for method in vars(cls).values():
        code = getattr(method, "__code__", None)
        if code is not None:
            found += list(code.co_names)
    return found


def gradient_clip(optimizer):
    if getattr(optimizer, "global_clipnorm", None):
        return {"kind": "norm", "max": float(optimizer.global_clipnorm), "norm_type": 2}
    if getattr(optimizer, "clipvalue", None):
        return {"kind": "value", "max": float(optimizer.clipvalue)}
    return None
