"""Light observation of an unmodified run: which loader plays which part, how many batches, losses by epoch."""

import time

import torch

from . import data
from .models import outermost, parameter_count
from .patches import Watcher


class Observer(Watcher):
    """Counts. Nothing that the pipeline gets is changed."""

    def __init__(self, progress=None):
        """progress: a `Progress` that is told of every training step, or None."""
        self.progress, self.epochs_planned = progress, None
        self.infos, self.passes = {}, []
        self.train_info, self.epoch = None, 0
        self.evaluations, self.events, self.losses = [], [], []
        self.batches = {}
        self.default_epochs = None
        self.evaluated_model = None
        self._depth, self._workers = 0, 0
        self._outermost = {}

    def loader_arguments(self, arguments):
        self._workers = arguments.get("num_workers", 0) or 0
        return arguments

    def loader_made(self, loader):
        self.infos[id(loader)] = data.LoaderInfo(loader, len(self.infos), self._workers)

    def iterate(self, loader, start):
        if id(loader) not in self.infos:
            return start()
        return self._watched(self.infos[id(loader)], start)

    def _watched(self, info, start):
        self.passes.append(info)
        count = 0
        info.trained_in_pass = False
        try:
            for batch in start():
                count += 1
                yield batch
            self.batches[id(info)] = count
        finally:
            if info in self.passes:
                self.passes.remove(info)

    def call(self, module, forward, args, kwargs):
        if self._depth == 0 and self.passes and not module.training and not torch.is_grad_enabled():
            if parameter_count(module) > 0:
                key = id(module)
                if key not in self._outermost:
                    self._outermost[key] = outermost(module)
                self.evaluated_model = self._outermost[key]
                if not self.evaluations or self.evaluations[-1] != (self.passes[-1], self.epoch):
                    self.evaluations.append((self.passes[-1], self.epoch))
        self._depth += 1
        try:
            return forward(module, *args, **kwargs)
        finally:
            self._depth -= 1

    def backward(self, tensors):
        if not self.passes:
            return
        info = self.passes[-1]
        if self.train_info is None:
            self.train_info = info
        info.training = True
        if not info.trained_in_pass:
            info.trained_in_pass = True
            self.epoch += 1
            self.losses.append([time.monotonic(), 0.0, 0])
        self.losses[-1][1] += float(tensors[0].detach().sum())
        self.losses[-1][2] += 1
        if self.progress is not None:
            self.progress.step(self.epoch, self.epochs_planned, self.losses[-1][2], _length(info.loader),
                               lambda: self.losses[-1][1] / self.losses[-1][2])

    def saved(self, thing, file):
        self._note("save", file)

    def loaded(self, file):
        self._note("load", file)

    def state_loaded(self, module):
        self._note("load_state_dict", None)

    def _note(self, what, file):
        if len(self.events) < 1000:
            self.events.append({"what": what, "file": str(file) if isinstance(file, str) else None, "epoch": self.epoch})

    def epochs_parsed(self, default, value):
        self.default_epochs = default
        self.epochs_planned = value if isinstance(value, int) else None

    def observation(self):
        """What the contract asks for; see `ContractObservation` on the host's side."""
        found = {"default_epochs": self.default_epochs if isinstance(self.default_epochs, int) else None}
        parts = data.roles(self.train_info, self.infos.values(), self.evaluations, self.epoch)
        sizes = set()
        for name, info in zip(("train", "validation", "test"), parts):
            if info is None:
                continue
            found[name + "_batches"] = self.batches.get(id(info)) or _length(info.loader)
            found[name + "_samples"] = _samples(info)
            sizes.add(info.loader.batch_size)
        if len(sizes) == 1:
            found["batch_size"] = sizes.pop()
        found["events"] = self.events
        return {key: value for key, value in found.items() if value is not None}

    def epochs(self, end):
        """Mean training loss and seconds of each epoch."""
        starts = [entry[0] for entry in self.losses] + [end]
        return [{"epoch": i + 1, "train_loss": total / count, "seconds": starts[i + 1] - starts[i]}
                for i, (_, total, count) in enumerate(self.losses)]


def _length(loader):
    try:
        return len(loader)
    except TypeError:
        return None


def _samples(info):
    try:
        return len(info.loader.sampler)
    except TypeError:
        return None
