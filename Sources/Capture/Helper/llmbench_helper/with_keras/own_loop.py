"""A training loop around a gradient tape: what it does to a model, heard while it runs.

No step is really taken, so every epoch sees the same weights and the same validation loss. A loop that waits for an improvement therefore waits in
vain from its first epoch on: one that runs through all its epochs at one learning rate would neither end early nor change its rate in a
real training, where it waits no longer. What it makes of weights is told by the functions that load or set them.
"""

from ..refusal import Refused
from . import loop

OWN = "a training loop of the program's own that "


class OwnLoop:
    """What was heard of one."""

    def __init__(self):
        self.optimizer, self.rates, self.epochs, self.faults = None, set(), set(), []
        self.differentiated = self.moved = 0
        self._taken, self._clips, self.clip = [], {}, None

    def fault(self, line):
        if OWN + line not in self.faults:
            self.faults.append(OWN + line)

    def gradients(self, found):
        """A tape gave these."""
        import tensorflow

        self.differentiated += 1
        self._taken, self._clips = tensorflow.nest.flatten(found), {}

    def clipped(self, given, made, clip):
        """A function of TensorFlow made gradients of gradients."""
        if all(g is None or any(g is t for t in self._taken) for g in given):
            self._clips |= {id(g): (g, clip) for g in made if g is not None}

    def applied(self, optimizer, gradients, variables, model, epoch):
        """An optimizer is given gradients; it takes no step."""
        self.moved += 1
        self.epochs.add(epoch)
        if self.optimizer not in (None, optimizer):
            self.fault("uses two optimizers")
        self.optimizer = optimizer
        if loop.schedule_of(optimizer) is None:
            self.rates.add(loop.number(optimizer.learning_rate))
        if variables is not None and {id(v) for v in variables} != {id(v) for v in model.trainable_variables}:
            self.fault("trains some of the weights alone")
        self._hold(self._clip_of(gradients))

    def _hold(self, clip):
        if clip is None:
            self.fault("changes its gradients")
        elif self.moved > 1 and clip != self.clip:
            self.fault("clips some gradients and not others")
        else:
            self.clip = clip

    def _clip_of(self, gradients):
        """How all of the gradients were clipped, {} where they were not; None where they are something else."""
        present = [g for g in gradients if g is not None]
        if all(any(g is t for t in self._taken) for g in present):
            return {}
        clips = [self._clips.get(id(g), (None, None))[1] for g in present]
        return clips[0] if clips and all(c == clips[0] for c in clips) else None

    def describe(self, conductor, pipeline):
        """The entries of pipeline.json that say how the training goes on around its step."""
        planned = conductor.epochs_planned
        if not planned or len(self.epochs) != planned:
            self.fault("may end before its last epoch")
        if len(self.rates) > 1:
            self.fault("changes the learning rate")
        if self.moved != self.differentiated:
            self.fault("does not take one step a batch")
        if conductor.loaded:
            self.fault("loads or sets weights")
        if self.faults:
            return
        pipeline["epochs"], schedule = planned, loop.schedule_of(self.optimizer)
        rate, scheduler = next(iter(self.rates), None), None
        if schedule is not None:
            counts = conductor.train.counts()
            rate, scheduler = loop.table(schedule, planned * counts[0] if counts else None, "batch")
        clip = loop.gradient_clip(self.optimizer)
        if clip is not None and self.clip:
            raise Refused(OWN + "clips gradients twice")
        loop.finish(conductor, pipeline, self.optimizer, rate, scheduler, self.clip or clip)
        pipeline["early_stopping"], pipeline["loss_mean"], pipeline["evaluated_weights"] = None, "batches", {"kind": "last"}
