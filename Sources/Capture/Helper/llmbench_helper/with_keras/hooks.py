"""Puts a watcher between a generated pipeline and Keras, before the pipeline is imported.

Patched functions keep their signatures and their behaviour; frames of this package never reach a printed traceback (see `launch`).
"""

import functools
import inspect
import sys

from .. import patches


class Watcher(patches.Watcher):
    """What a mode may hear beside what `patches.Watcher` names. Methods that return something may change what the pipeline gets."""

    def fit(self, model, arguments, run):
        """`arguments` by name; `run(arguments)` trains."""
        return run(arguments)

    def evaluated(self, model, what, arguments, run):
        """`what` is `evaluate` or `predict`."""
        return run(arguments)

    def iterated(self, dataset, start):
        """The program itself goes over a tf.data.Dataset."""
        return start()

    def called(self, model, forward, args, kwargs):
        return forward(model, *args, **kwargs)

    def weights_loaded(self):
        """Weights or a model are read from a file."""

    def differentiated(self, target):
        """A gradient is about to be computed with a GradientTape."""

    def gradients(self, found):
        """What a GradientTape gave, in the form that was asked for."""


def install(watcher):
    """Installs every patch. Call once, before the generated code is imported."""
    patches._patch_argparse(watcher)
    _patch_splits(watcher)
    _patch_seeds(watcher)
    _patch_models(watcher)
    _patch_datasets(watcher)
    _patch_tape(watcher)
    _patch_files(watcher)


def _patch_splits(watcher):
    from ..imports import heard, when_imported

    def watch(module):
        module.train_test_split = heard(
            module.train_test_split, lambda args, kwargs: watcher.split("train_test_split", kwargs.get("random_state")))

    when_imported({"sklearn.model_selection._split": watch})


def _patch_seeds(watcher):
    import random

    import keras
    import numpy
    import tensorflow

    def wrap(owner, name, library):
        original = getattr(owner, name)

        @functools.wraps(original)
        def seed(*args, **kwargs):
            watcher.seeded(library, args[0] if args else next(iter(kwargs.values()), None))
            return original(*args, **kwargs)

        setattr(owner, name, seed)

    wrap(random, "seed", "random")
    wrap(numpy.random, "seed", "numpy")
    wrap(tensorflow.random, "set_seed", "tensorflow")
    wrap(keras.utils, "set_random_seed", "keras")
    wrap(tensorflow.keras.utils, "set_random_seed", "keras")


def _patch_models(watcher):
    import keras

    def wrap(name, tell):
        original = getattr(keras.Model, name)
        signature = inspect.signature(original)

        @functools.wraps(original)
        def heard(self, *args, **kwargs):
            try:
                bound = signature.bind(self, *args, **kwargs)
            except TypeError:
                bound = None
            if bound is None:
                # Outside of the handler: the error that the program sees must not be chained to ours.
                return original(self, *args, **kwargs)
            arguments = dict(bound.arguments)
            arguments.pop("self")
            extra = arguments.pop("kwargs", {})
            return tell(self, {**arguments, **extra}, lambda changed: original(self, **changed))

        setattr(keras.Model, name, heard)

    wrap("fit", lambda model, arguments, run: watcher.fit(model, arguments, run))
    for name in ("evaluate", "predict"):
        wrap(name, lambda model, arguments, run, what=name: watcher.evaluated(model, what, arguments, run))
    call = keras.Model.__call__

    @functools.wraps(call)
    def __call__(self, *args, **kwargs):
        return watcher.called(self, call, args, kwargs)

    keras.Model.__call__ = __call__


LIBRARIES = ("tensorflow", "keras")


def _patch_datasets(watcher):
    from tensorflow.data import Dataset

    iterate, as_numpy = Dataset.__iter__, Dataset.as_numpy_iterator

    def is_library(frame):
        return frame.f_globals.get("__name__", "").split(".")[0] in LIBRARIES

    @functools.wraps(iterate)
    def __iter__(self):
        if is_library(sys._getframe(1)):
            return iterate(self)
        return watcher.iterated(self, lambda: iterate(self))

    @functools.wraps(as_numpy)
    def as_numpy_iterator(self):
        return watcher.iterated(self, lambda: as_numpy(self))

    Dataset.__iter__, Dataset.as_numpy_iterator = __iter__, as_numpy_iterator


def _patch_tape(watcher):
    import tensorflow

    gradient = tensorflow.GradientTape.gradient

    @functools.wraps(gradient)
    def heard(self, target, *args, **kwargs):
        watcher.differentiated(target)
        found = gradient(self, target, *args, **kwargs)
        watcher.gradients(found)
        return found

    tensorflow.GradientTape.gradient = heard


def _patch_files(watcher):
    import keras
    import tensorflow

    from ..imports import heard

    for owner, name in ((keras.Model, "load_weights"), (keras.models, "load_model"), (keras.saving, "load_model"),
                        (tensorflow.keras.models, "load_model"), (keras.saving, "load_weights")):
        if hasattr(owner, name):
            setattr(owner, name, heard(getattr(owner, name), lambda args, kwargs: watcher.weights_loaded()))
