"""Puts a watcher between a generated pipeline and the libraries it calls, before the pipeline is imported.

A `Watcher` hears of everything below and by default changes nothing; modes override what they need. Patched functions
keep their signatures and their behaviour; frames of this package never reach a printed traceback (see `launch`).
"""

import argparse
import functools
import inspect
import random

from .imports import heard, when_imported


class Watcher:
    """What a mode may hear. Methods that return something may change what the pipeline gets."""

    def loader_arguments(self, arguments):
        return arguments

    def loader_made(self, loader):
        pass

    def iterate(self, loader, start):
        return start()

    def call(self, module, forward, args, kwargs):
        return forward(module, *args, **kwargs)

    def backward(self, tensors):
        pass

    def differentiated_by_hand(self):
        pass

    def optimizer_made(self, optimizer):
        pass

    def before_optimizer_step(self, optimizer):
        pass

    def after_optimizer_step(self, optimizer):
        pass

    def scheduler_made(self, scheduler, arguments):
        pass

    def scheduler_stepped(self, scheduler, arguments):
        pass

    def clipped(self, kind, arguments):
        pass

    def saved(self, thing, file):
        pass

    def loaded(self, file):
        pass

    def state_loaded(self, module):
        pass

    def epochs_parsed(self, default, value):
        pass

    def seeded(self, library, value):
        pass

    def split(self, name, seed):
        pass

    def compiled(self):
        pass


def install(watcher):
    """Installs every patch. Call once, before the generated code is imported."""
    _patch_argparse(watcher)
    _patch_seeds(watcher)
    _patch_loader(watcher)
    _patch_modules(watcher)
    _patch_autograd(watcher)
    _patch_optimizers(watcher)
    _patch_schedulers(watcher)
    _patch_files(watcher)
    _patch_splits(watcher)
    _patch_compiler(watcher)


def record_inference_mode():
    """Makes `torch.inference_mode` a `no_grad`: in inference mode operations reach a recorder undivided."""
    import torch

    def inference_mode(mode=True):
        if callable(mode):
            return torch.no_grad()(mode)
        return torch.no_grad() if mode else torch.enable_grad()

    torch.inference_mode = inference_mode


def _patch_argparse(watcher):
    original = argparse.ArgumentParser.parse_known_args

    @functools.wraps(original)
    def parse_known_args(self, *args, **kwargs):
        namespace, rest = original(self, *args, **kwargs)
        for action in self._actions:
            if "--epochs" in action.option_strings:
                watcher.epochs_parsed(action.default, getattr(namespace, action.dest, None))
        return namespace, rest

    argparse.ArgumentParser.parse_known_args = parse_known_args


def _patch_seeds(watcher):
    import numpy
    import torch

    def heard(owner, name, library):
        original = getattr(owner, name)

        @functools.wraps(original)
        def seed(*args, **kwargs):
            value = args[0] if args else next(iter(kwargs.values()), None)
            watcher.seeded(library, value)
            return original(*args, **kwargs)

        setattr(owner, name, seed)

    heard(random, "seed", "random")
    heard(numpy.random, "seed", "numpy")
    heard(torch, "manual_seed", "torch")


def _patch_loader(watcher):
    from torch.utils.data import DataLoader

    make, iterate = DataLoader.__init__, DataLoader.__iter__
    signature = inspect.signature(make)

    @functools.wraps(make)
    def init(self, *args, **kwargs):
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError:
            bound = None
        if bound is None:
            # Outside of the handler: the error that the program sees must not be chained to ours.
            return make(self, *args, **kwargs)
        arguments = dict(bound.arguments)
        arguments.pop("self")
        make(self, **watcher.loader_arguments(arguments))
        watcher.loader_made(self)

    @functools.wraps(iterate)
    def __iter__(self):
        return watcher.iterate(self, lambda: iterate(self))

    DataLoader.__init__, DataLoader.__iter__ = init, __iter__


def _patch_modules(watcher):
    import torch

    call, load = torch.nn.Module.__call__, torch.nn.Module.load_state_dict

    def __call__(self, *args, **kwargs):
        return watcher.call(self, call, args, kwargs)

    @functools.wraps(load)
    def load_state_dict(self, *args, **kwargs):
        result = load(self, *args, **kwargs)
        watcher.state_loaded(self)
        return result

    torch.nn.Module.__call__, torch.nn.Module.load_state_dict = __call__, load_state_dict


def _patch_autograd(watcher):
    import torch

    backward, gradient = torch.autograd.backward, torch.autograd.grad

    @functools.wraps(backward)
    def heard_backward(tensors, *args, **kwargs):
        watcher.backward([tensors] if isinstance(tensors, torch.Tensor) else list(tensors))
        return backward(tensors, *args, **kwargs)

    @functools.wraps(gradient)
    def heard_gradient(*args, **kwargs):
        watcher.differentiated_by_hand()
        return gradient(*args, **kwargs)

    torch.autograd.backward, torch.autograd.grad = heard_backward, heard_gradient

    def clip(name, kind):
        original = getattr(torch.nn.utils, name)
        signature = inspect.signature(original)

        @functools.wraps(original)
        def clipped(*args, **kwargs):
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            watcher.clipped(kind, bound.arguments)
            return original(*args, **kwargs)

        setattr(torch.nn.utils, name, clipped)
        setattr(torch.nn.utils.clip_grad, name, clipped)

    clip("clip_grad_norm_", "norm")
    clip("clip_grad_value_", "value")


def _patch_optimizers(watcher):
    from torch.optim import Optimizer
    from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

    make = Optimizer.__init__

    @functools.wraps(make)
    def init(self, *args, **kwargs):
        make(self, *args, **kwargs)
        watcher.optimizer_made(self)

    Optimizer.__init__ = init
    register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: watcher.before_optimizer_step(optimizer))
    register_optimizer_step_post_hook(lambda optimizer, args, kwargs: watcher.after_optimizer_step(optimizer))


def _patch_schedulers(watcher):
    from torch.optim import lr_scheduler

    base = lr_scheduler.LRScheduler
    classes = {c for c in vars(lr_scheduler).values() if isinstance(c, type) and issubclass(c, base)}
    busy = []

    def wrap(cls):
        make, step = cls.__dict__.get("__init__"), cls.__dict__.get("step")
        if make is not None:
            signature = inspect.signature(make)

            @functools.wraps(make)
            def init(self, *args, **kwargs):
                outermost = not busy
                busy.append(self)
                try:
                    make(self, *args, **kwargs)
                finally:
                    busy.pop()
                if outermost:
                    bound = signature.bind(self, *args, **kwargs)
                    bound.apply_defaults()
                    watcher.scheduler_made(self, dict(bound.arguments))

            cls.__init__ = init
        if step is not None:

            @functools.wraps(step)
            def heard_step(self, *args, **kwargs):
                outermost = not busy
                busy.append(self)
                try:
                    result = step(self, *args, **kwargs)
                finally:
                    busy.pop()
                if outermost:
                    watcher.scheduler_stepped(self, list(args) + list(kwargs.values()))
                return result

            cls.step = heard_step

    for cls in classes:
        wrap(cls)


def _patch_files(watcher):
    import torch

    save, load = torch.save, torch.load

    @functools.wraps(save)
    def heard_save(thing, file, *args, **kwargs):
        result = save(thing, file, *args, **kwargs)
        watcher.saved(thing, file)
        return result

    @functools.wraps(load)
    def heard_load(file, *args, **kwargs):
        result = load(file, *args, **kwargs)
        watcher.loaded(file)
        return result

    torch.save, torch.load = heard_save, heard_load


def _patch_splits(watcher):
    """The functions that divide samples, of PyTorch and of scikit-learn."""
    import torch.utils.data as data

    def tell_random(args, kwargs):
        generator = kwargs.get("generator", args[2] if len(args) > 2 else None)
        watcher.split("random_split", generator.initial_seed() if generator is not None else None)

    data.random_split = heard(data.random_split, tell_random)
    data.dataset.random_split = data.random_split

    def watch(module):
        module.train_test_split = heard(
            module.train_test_split, lambda args, kwargs: watcher.split("train_test_split", kwargs.get("random_state")))
        for name in ("KFold", "StratifiedKFold", "ShuffleSplit", "StratifiedShuffleSplit", "GroupShuffleSplit", "GroupKFold"):
            _patch_splitter(watcher, getattr(module, name))

    when_imported({"sklearn.model_selection._split": watch})


def _patch_splitter(watcher, cls):
    split = cls.split

    @functools.wraps(split)
    def heard_split(self, *args, **kwargs):
        watcher.split(type(self).__name__, getattr(self, "random_state", None))
        return split(self, *args, **kwargs)

    cls.split = heard_split


def _patch_compiler(watcher):
    import torch

    torch.compile = heard(torch.compile, lambda args, kwargs: watcher.compiled())
