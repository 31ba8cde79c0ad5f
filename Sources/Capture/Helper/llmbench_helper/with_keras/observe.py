"""Light observation of an unmodified run: which data play which part, how many batches, losses by epoch."""

import time

from ..roles import roles
from .hooks import Watcher
from .sources import Sources, is_peek, is_whole


class Observer(Watcher):
    """Counts. Nothing that the pipeline gets is changed."""

    def __init__(self, progress=None):
        """progress: a `Progress` that is told of every training step, or None."""
        self.progress, self.epochs_planned = progress, None
        self.sources, self.passes = Sources(), []
        self.train, self.epoch = None, 0
        self.evaluations, self.losses = [], []
        self.default_epochs = None
        self.evaluated_model = None
        self._inside = 0

    def epochs_parsed(self, default, value):
        self.default_epochs = default
        self.epochs_planned = value if isinstance(value, int) else None

    def fit(self, model, arguments, run):
        x, y, size = arguments.get("x"), arguments.get("y"), arguments.get("batch_size")
        source = self.sources.of(x if is_whole(x) else (x, y), size)
        if self.train is None:
            self.train = source
        validation = arguments.get("validation_data")
        if validation is not None:
            whole = is_whole(validation)
            self._evaluated(self.sources.of(validation if whole else tuple(validation[:2]),
                                            arguments.get("validation_batch_size") or size))
        if self.progress is not None:
            arguments = {**arguments, "callbacks": _joined(arguments.get("callbacks"), Teller(self, source))}
        return self._within(run, arguments)

    def evaluated(self, model, what, arguments, run):
        self.evaluated_model = model
        x, y = arguments.get("x"), arguments.get("y")
        if "_use_cached_eval_dataset" in arguments:
            # `fit` evaluates what it was given, which is known.
            pass
        elif self.passes:
            self._evaluated(self.passes[-1])
        elif is_whole(x) and not is_peek(x):
            self._evaluated(self.sources.of(x))
        elif not is_whole(x) and what == "evaluate":
            self._evaluated(self.sources.of((x, y), arguments.get("batch_size")))
        return self._within(run, arguments)

    def _within(self, run, arguments):
        self._inside += 1
        try:
            return run(arguments)
        finally:
            self._inside -= 1

    def _evaluated(self, source):
        if source is not self.train and (not self.evaluations or self.evaluations[-1] != (source, self.epoch)):
            self.evaluations.append((source, self.epoch))

    def iterated(self, dataset, start):
        if is_peek(dataset):
            return start()
        source = self.sources.of(dataset)
        # A pass that was left early ends where the next one begins.
        self.passes = [p for p in self.passes if p is not source] + [source]
        if source is self.train:
            self._begin_epoch()
        return Pass(start(), lambda: self._took(source), lambda: self._ended(source))

    def _took(self, source):
        if source is self.train and self.losses:
            self._step(source, None)

    def _ended(self, source):
        if self.train is not None:
            self._evaluated(source)
        self.passes = [p for p in self.passes if p is not source]

    def called(self, model, forward, args, kwargs):
        if self._inside == 0 and not kwargs.get("training"):
            self.evaluated_model = model
        self._inside += 1
        try:
            return forward(model, *args, **kwargs)
        finally:
            self._inside -= 1

    def differentiated(self, target):
        if self.train is None and self.passes:
            self.train = self.passes[-1]
            self._begin_epoch()

    def _begin_epoch(self):
        self.epoch += 1
        self.losses.append([time.monotonic(), None, 0])

    def _step(self, source, loss):
        self.losses[-1][2] += 1
        if self.progress is not None:
            counts = source.counts()
            self.progress.step(self.epoch, self.epochs_planned, self.losses[-1][2], counts and counts[0],
                               lambda: float("nan") if loss is None else float(loss))

    def parts(self):
        """(train, validation, test); None where none was seen."""
        return roles(self.train, self.sources.known, self.evaluations, self.epoch)

    def observation(self, counted=True):
        """What the contract asks for; see `ContractObservation` on the host's side. `counted`: with the sizes of the parts."""
        found = {"default_epochs": self.default_epochs if isinstance(self.default_epochs, int) else None}
        sizes = set()
        for name, source in zip(("train", "validation", "test"), self.parts() if counted else ()):
            counts = source.counts() if source is not None else None
            if counts is not None:
                found[name + "_batches"], found[name + "_samples"] = counts[:2]
                sizes.add(counts[2])
        # A part may be smaller than a batch.
        if sizes:
            found["batch_size"] = max(sizes)
        return {key: value for key, value in found.items() if value is not None}

    def epochs(self, end):
        """Mean training loss, where Keras tells it, and seconds of each epoch."""
        starts = [entry[0] for entry in self.losses] + [end]
        return [{"epoch": i + 1, "train_loss": loss, "seconds": starts[i + 1] - starts[i]}
                for i, (_, loss, _) in enumerate(self.losses)]


class Pass:
    """An iterator that tells of every batch but the first, when the one before it is done with, and of its end."""

    def __init__(self, iterator, took, ended):
        self._iterator, self._took, self._ended, self._count = iterator, took, ended, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self._count > 0:
            self._took()
        self._count += 1
        try:
            return next(self._iterator)
        except StopIteration:
            self._ended()
            raise

    def __getattr__(self, name):
        return getattr(self._iterator, name)


def _joined(callbacks, teller):
    import keras

    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks.append(teller)
        return callbacks
    return [*(callbacks if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks is not None else []), teller]


def Teller(observer, source):
    """A callback that tells the observer of epochs and steps. Keras is imported late."""
    import keras

    class Told(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            observer._begin_epoch()

        def on_train_batch_end(self, batch, logs=None):
            observer._step(source, (logs or {}).get("loss"))

        def on_epoch_end(self, epoch, logs=None):
            if (logs or {}).get("loss") is not None:
                observer.losses[-1][1] = float(logs["loss"])

    return Told()
