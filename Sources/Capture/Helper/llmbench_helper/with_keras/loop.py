"""What surrounds the step in `Model.fit`: optimizer, learning rate, callbacks. Keras states them, so they are read and not measured."""

import math

import numpy

from ..refusal import Refused
from .watched import Monitors, own

LONGEST_TABLE = 200_000
# What a callback of the program's own may not touch, since nobody would see it.
TOUCHED = {"stop_training", "set_weights", "load_weights", "learning_rate", "assign", "set_value"}


def number(value):
    """A number of Keras, which holds it in single precision, as it was written."""
    return float(str(numpy.asarray(value, numpy.float32)))


def require_plain(optimizer):
    for name, plain in (("use_ema", False), ("gradient_accumulation_steps", None), ("loss_scale_factor", None)):
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
    elif kind == "Nadam":
        # Keras' momentum follows 0.96 to the power of the step, PyTorch's to that of the step times its decay.
        group |= {"betas": [number(optimizer.beta_1), number(optimizer.beta_2)], "eps": number(optimizer.epsilon), "momentum_decay": 1.0}
        group |= {"decoupled_weight_decay": True} if decay else {}
        kind = "NAdam"
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


def listed(callbacks):
    """The callbacks that `fit` was given."""
    callbacks = getattr(callbacks, "callbacks", callbacks)
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks is not None else []


def is_nothing(value):
    """Whether an argument of `fit` is as good as not given."""
    return isinstance(value, (int, float, dict)) and not value


def mode_of(callback):
    """Keras decides on `auto` when the callback first sees a value."""
    if callback.mode in ("min", "max"):
        return callback.mode
    decided = getattr(getattr(callback, "monitor_op", None), "__name__", None)
    if decided not in ("less", "greater"):
        raise Refused(f"a callback that watches {callback.monitor} and never said which way")
    return "max" if decided == "greater" else "min"


class Callbacks:
    """What the callbacks of a `fit` do to its loop."""

    def __init__(self, callbacks, epochs, rate, monitors):
        """monitors: what a name that is watched is called in pipeline.json, refused where nothing measures it."""
        self.scheduler, self.stopping, self.best, self._saved = None, None, None, None
        self.rate, self.epochs, self.monitors, self.notes = rate, epochs, monitors, []
        for callback in callbacks:
            self._take(callback)

    @property
    def saves_best(self):
        return self._saved is not None

    def saved_best(self):
        """The weights that a ModelCheckpoint keeps."""
        if not self.monitors.is_told(self._saved.monitor):
            # It then saves after every epoch.
            return {"kind": "last"}
        return {"kind": "best", "monitor": self.monitors[self._saved.monitor], "mode": mode_of(self._saved)}

    def _acts(self, callback):
        if self.monitors.is_told(callback.monitor):
            return True
        self.notes.append(f"{type(callback).__name__} watches {callback.monitor}, which fit does not measure: it never acts")
        return False

    def _take(self, callback):
        import keras

        kinds = keras.callbacks
        if isinstance(callback, kinds.EarlyStopping):
            if self._acts(callback):
                self._stop(callback)
        elif isinstance(callback, kinds.ReduceLROnPlateau):
            if not self._acts(callback):
                return
            self._once()
            # Keras counts the epoch that does not improve, PyTorch those that went before it; and Keras counts the epoch in which a
            # cooldown ends, PyTorch does not.
            self.scheduler = {
                "name": "ReduceLROnPlateau", "when": "metric:" + self.monitors[callback.monitor], "mode": mode_of(callback),
                "factor": float(callback.factor), "patience": max(int(callback.patience) - 1, 0),
                "threshold": abs(float(callback.min_delta)), "threshold_mode": "abs", "cooldown": max(int(callback.cooldown) - 1, 0),
                "min_lr": float(callback.min_lr), "eps": 0.0}
        elif isinstance(callback, kinds.LearningRateScheduler):
            self._once()
            self._schedule(callback)
        elif isinstance(callback, kinds.ModelCheckpoint):
            if callback.save_best_only:
                self._saved = callback
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
        monitor, mode = self.monitors[callback.monitor], mode_of(callback)
        self.stopping = {"monitor": monitor, "mode": mode, "patience": int(callback.patience),
                         "min_delta": abs(float(callback.min_delta))}
        if callback.restore_best_weights:
            self.best = {"kind": "best", "monitor": monitor, "mode": mode, "min_delta": abs(float(callback.min_delta))}

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
    if getattr(optimizer, "clipnorm", None):
        return {"kind": "norm_each", "max": float(optimizer.clipnorm)}
    if getattr(optimizer, "clipvalue", None):
        return {"kind": "value", "max": float(optimizer.clipvalue)}
    return None


def describe(conductor, pipeline):
    """The entries of pipeline.json that say how the training goes on around its step."""
    model, arguments = conductor.model, conductor.fitted
    epochs = int(arguments.get("epochs") or 1)
    pipeline["epochs"] = epochs
    counts = [source.counts() if source is not None else None for source in conductor.parts()[:2]]
    for name in ("class_weight", "sample_weight", "initial_epoch", "validation_split"):
        if arguments.get(name) is not None and not is_nothing(arguments[name]):
            raise Refused(f"fit with {name}")
    for name, part in zip(("steps_per_epoch", "validation_steps"), counts):
        # As many as there are is what happens without it.
        if arguments.get(name) and not (part is not None and int(arguments[name]) == part[0]):
            raise Refused(f"fit with {name}")
    if arguments.get("validation_freq", 1) != 1:
        raise Refused("fit that does not validate after every epoch")
    given = listed(arguments.get("callbacks"))
    callbacks = Callbacks(given, epochs, conductor.first_rate, Monitors(conductor))
    conductor.notes += callbacks.notes
    rate, scheduler = callbacks.rate, callbacks.scheduler
    schedule = schedule_of(model.optimizer)
    if schedule is not None:
        if scheduler is not None:
            raise Refused("a schedule and a callback that both change the learning rate")
        rate, scheduler = table(schedule, epochs * counts[0][0] if counts[0] else None, "batch")
    require_rates(conductor, rate, scheduler)
    finish(conductor, pipeline, model.optimizer, rate, scheduler, gradient_clip(model.optimizer))
    pipeline["early_stopping"] = callbacks.stopping
    # Keras weighs the loss of a batch by its items.
    pipeline["loss_mean"] = "batches" if own(model, "train_step") else "samples"
    best = callbacks.best
    if best is None and conductor.loaded and callbacks.saves_best:
        best = callbacks.saved_best()
    elif best is None and conductor.loaded:
        raise Refused("weights are loaded after training, and which was not seen")
    pipeline["evaluated_weights"] = best or {"kind": "last"}


def require_rates(conductor, rate, scheduler):
    """The recorded steps, which are those of the first epoch's beginning, had the rate that was read; and nothing sets another one later."""
    from .own_loop import sets_rate

    first = rate * (scheduler or {}).get("factors", [1])[0]
    if any(abs(taken - first) > 1e-6 * abs(first) for taken in conductor.step_rates):
        raise Refused("a learning rate that is changed by other ways than a schedule or a callback")
    if own(conductor.model, "train_step") and sets_rate(type(conductor.model).train_step, conductor.code_root):
        raise Refused("a train_step of the program's own that changes the learning rate")


def finish(conductor, pipeline, optimizer, rate, scheduler, clip):
    """Optimizer, scheduler and clipping, which `fit` and a loop of the program's own share."""
    names = [n for kind, n, _ in conductor.steps[0].variables.values() if kind == "parameters"] if conductor.steps else []
    pipeline["optimizer"] = describe_optimizer(optimizer, names, rate)
    if scheduler is not None and pipeline["optimizer"]["groups"][0].get("momentum"):
        raise Refused("momentum under a changing rate, which Keras and PyTorch weigh differently")
    pipeline["scheduler"], pipeline["gradient_clip"] = scheduler, clip
    pipeline["accumulation"], pipeline["mixed_precision"] = 1, False
