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

    def weights_set(self):
        """The program sets the weights of a layer or a model."""

    def assigned(self, variable):
        """The program itself gives a variable of Keras, or the one of TensorFlow below it, another value."""

    def differentiated(self, target):
        """A gradient is about to be computed with a GradientTape."""

    def gradients(self, found):
        """What a GradientTape gave, in the form that was asked for."""

    def clipped(self, given, made, clip):
        """Gradients, or other tensors, were bounded; `clip` as in pipeline.json."""

    def applied(self, optimizer, gradients, variables, run):
        """An optimizer of Keras is about to take a step."""
        return run()


def install(watcher):
    """Installs every patch. Call once, before the generated code is imported."""
    patches._patch_argparse(watcher)
    _patch_splits(watcher)
    _patch_seeds(watcher)
    _patch_models(watcher)
    _patch_datasets(watcher)
    _patch_tape(watcher)
    if type(watcher).applied is not Watcher.applied:
        # Functions that TensorFlow traces name every frame in their errors: what nobody listens to stays as it is.
        _patch_optimizers(watcher)
        _patch_clipping(watcher)
        _patch_setting(watcher)
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


def _is_library(frame):
    return frame.f_globals.get("__name__", "").split(".")[0] in LIBRARIES


def _patch_datasets(watcher):
    from tensorflow.data import Dataset

    iterate, as_numpy = Dataset.__iter__, Dataset.as_numpy_iterator

    @functools.wraps(iterate)
    def __iter__(self):
        if _is_library(sys._getframe(1)):
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


def _patch_optimizers(watcher):
    import keras

    original = keras.optimizers.Optimizer.apply

    @functools.wraps(original)
    def apply(self, grads, trainable_variables=None):
        grads = list(grads)
        return watcher.applied(self, grads, trainable_variables, lambda: original(self, grads, trainable_variables))

    keras.optimizers.Optimizer.apply = apply


def _patch_clipping(watcher):
    import tensorflow

    by_global, by_norm, by_value = tensorflow.clip_by_global_norm, tensorflow.clip_by_norm, tensorflow.clip_by_value

    @functools.wraps(by_global)
    def clip_by_global_norm(t_list, clip_norm, use_norm=None, name=None):
        t_list = list(t_list)
        made = by_global(t_list, clip_norm, use_norm=use_norm, name=name)
        if use_norm is None:
            _tell_clip(watcher, t_list, made[0], "norm", clip_norm, {"norm_type": 2})
        return made

    @functools.wraps(by_norm)
    def clip_by_norm(t, clip_norm, axes=None, name=None):
        made = by_norm(t, clip_norm, axes=axes, name=name)
        if axes is None:
            _tell_clip(watcher, [t], [made], "norm_each", clip_norm)
        return made

    @functools.wraps(by_value)
    def clip_by_value(t, clip_value_min, clip_value_max, name=None):
        made = by_value(t, clip_value_min, clip_value_max, name=name)
        if isinstance(clip_value_max, (int, float)) and clip_value_min == -clip_value_max:
            _tell_clip(watcher, [t], [made], "value", clip_value_max)
        return made

    for function in (clip_by_global_norm, clip_by_norm, clip_by_value):
        setattr(tensorflow, function.__name__, function)


def _tell_clip(watcher, given, made, kind, maximum, more={}):
    if isinstance(maximum, (int, float)) and maximum > 0:
        watcher.clipped(given, made, {"kind": kind, "max": float(maximum), **more})


def _patch_files(watcher):
    import keras
    import tensorflow

    from ..imports import heard

    for owner, name in ((keras.Model, "load_weights"), (keras.models, "load_model"), (keras.saving, "load_model"),
                        (tensorflow.keras.models, "load_model"), (keras.saving, "load_weights"),
                        (tensorflow.train.Checkpoint, "restore"), (tensorflow.train.Checkpoint, "read"),
                        (tensorflow.train.CheckpointManager, "restore_or_initialize")):
        if hasattr(owner, name):
            setattr(owner, name, heard(getattr(owner, name), lambda args, kwargs: watcher.weights_loaded()))


def _patch_setting(watcher):
    import keras

    set_weights = keras.Layer.set_weights

    @functools.wraps(set_weights)
    def heard_setting(self, weights):
        # Not what Keras does itself, such as a callback that restores.
        if not _is_library(sys._getframe(1)):
            watcher.weights_set()
        return set_weights(self, weights)

    keras.Layer.set_weights = heard_setting
    _patch_assignment(watcher)


def _patch_assignment(watcher):
    import keras
    import tensorflow

    def wrap(owner, name):
        original = getattr(owner, name)

        @functools.wraps(original)
        def assign(self, *args, **kwargs):
            # Not what optimizers, layers and files do.
            if not _is_library(sys._getframe(1)):
                watcher.assigned(self)
            return original(self, *args, **kwargs)

        setattr(owner, name, assign)

    from tensorflow.python.ops.resource_variable_ops import BaseResourceVariable

    for owner in (keras.Variable, BaseResourceVariable):
        for name in ("assign", "assign_add", "assign_sub"):
            wrap(owner, name)
    backend = tensorflow.keras.backend
    if hasattr(backend, "set_value"):
        set_value = backend.set_value

        @functools.wraps(set_value)
        def heard_value(x, value):
            watcher.assigned(x)
            return set_value(x, value)

        backend.set_value = heard_value
