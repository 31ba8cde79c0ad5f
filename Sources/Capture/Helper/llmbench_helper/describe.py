"""Mode `describe`: what architecture is the U-Net of a Python file?

    python /helper/run.py describe [--class NAME] [--record DIR] [--seed N] -- FILE.py

The class is found where there is one candidate: a subclass of nn.Module that is defined in the file, is no part of another
candidate, and maps an image of one or three channels to values of the image's height and width. The usual constructor
signatures are tried in turn. Writes DIR/describe.json: the facts of the architecture with `class`, `constructor` and
`input_channels`; or {"error": one sentence} and exit code 1.
"""

import inspect
import os

import torch

from . import check, facts, launch
from .graph import Draft, unify
from .models import ModuleStack, Snapshot
from .ops import Refused
from .recorder import Trace

SIZES = (64, 128, 256, 572)
CHANNEL_NAMES = (("in_channels", "out_channels"), ("n_channels", "n_classes"), ("in_ch", "out_ch"),
                 ("in_channels", "num_classes"), ("in_channels", "n_classes"), ("input_channels", "output_channels"),
                 ("n_channels", "num_classes"), ("in_channel", "out_channel"), ("img_ch", "output_ch"),
                 ("input_channels", "num_classes"), ("channels", "classes"), ("in_chans", "num_classes"),
                 ("n_in", "n_out"), ("channels_in", "channels_out"), ("in_c", "out_c"))


def add_options(parser):
    parser.add_argument("--class", dest="class_name")


def run(options):
    found, error = examine(options)
    result = {"error": error} if error else {key: value for key, value in found.described.items()}
    check.write_json(options.record, "describe.json", result)
    launch.finish(1 if error else 0)


def examine(options):
    """(Candidate, None), or (None, one sentence)."""
    launch.seed_everything(options.seed)
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    path = os.path.abspath(options.program[0])
    try:
        module = launch.load(path)
    except BaseException as problem:
        return None, f"{os.path.basename(path)} cannot be imported: {type(problem).__name__}: {problem}"
    try:
        candidate = find(module, options.class_name)
        candidate.capture(os.path.dirname(path))
        return candidate, None
    except Refused as refusal:
        return None, str(refusal)


class Candidate:
    """A class that works as a U-Net, how it was made, and on which image."""

    def __init__(self, cls, constructor, model, channels, size):
        self.cls, self.constructor, self.model = cls, constructor, model
        self.channels, self.size = channels, size

    def forward(self, image):
        result = self.model(image)
        while isinstance(result, (list, tuple)):
            result = result[0]
        if isinstance(result, dict):
            result = next(iter(result.values()))
        return result

    def capture(self, code_root):
        """Records a training step (mean squared error against noise) and a prediction; dropout is off in both."""
        # Larger than the smallest image that works: one pixel in the bottleneck makes batch statistics all noise.
        generator = torch.Generator().manual_seed(1)
        size = self.size if self.size >= 128 else self.size * 2
        try:
            images = [torch.rand(n, self.channels, size, size, generator=generator) for n in (4, 3)]
            self.model.eval()
            with torch.no_grad():
                target = self.forward(images[0])
        except Exception:
            images = [torch.rand(n, self.channels, self.size, self.size, generator=generator) for n in (4, 3)]
            with torch.no_grad():
                target = self.forward(images[0])
        self.images = images
        self.targets = [torch.rand(i.shape[0], *target.shape[1:], generator=generator) for i in images]
        self._mode(True)
        with torch.no_grad():
            self.forward(images[0])
        self.steps = [self._record(code_root, i, t) for i, t in zip(images, self.targets)]
        self.constants = {}
        drafts = [self._draft(*step) for step in self.steps]
        self.train_graph = unify(*drafts, [4, 3])
        self.train_graph.update(kind="train", outputs={"loss": drafts[0].target})
        output = drafts[0].bound(self.steps[0][2])
        self.described = {"class": self.cls.__name__, "constructor": self.constructor, "input_channels": self.channels,
                          "trainable_parameters": sum(p.numel() for p in self.model.parameters() if p.requires_grad)}
        self.described.update(facts.Architecture(self.train_graph, output).describe())

    def _mode(self, training):
        self.model.train(training)
        for module in self.model.modules():
            if "Dropout" in type(module).__name__ or isinstance(module, torch.nn.modules.dropout._DropoutNd):
                module.eval()

    def trace(self, code_root, image, target=None):
        stack = ModuleStack()
        trace, snapshot = Trace(code_root, stack.innermost), Snapshot()
        stack.root_of(self.model)
        handles = [m.register_forward_pre_hook(lambda m, a: stack.stack.append(m)) for m in self.model.modules()]
        handles += [m.register_forward_hook(_popper(stack)) for m in self.model.modules()]
        snapshot.add(self.model)
        trace.name_input(image, "image")
        if target is not None:
            trace.name_input(target, "mask")
        try:
            with trace:
                output = self.forward(image)
                loss = None if target is None else torch.nn.functional.mse_loss(output, target)
        finally:
            for handle in handles:
                handle.remove()
        return trace, snapshot, output, loss

    def _record(self, code_root, image, target):
        trace, snapshot, output, loss = self.trace(code_root, image, target)
        return trace, snapshot, trace.value_of(output), trace.value_of(loss), output, loss

    def _draft(self, trace, snapshot, output_value, loss_value, output, loss):
        from .capture import leaf_namer

        draft = Draft(trace, loss_value, leaf_namer(trace, snapshot, self.constants))
        draft.prune([draft.target])
        return draft


def _popper(stack):
    def pop(module, arguments, output):
        stack.stack.pop()

    return pop


def find(module, name):
    classes = [c for c in vars(module).values()
               if isinstance(c, type) and issubclass(c, torch.nn.Module) and c.__module__ == module.__name__]
    if name is not None:
        named = getattr(module, name, None)
        if not (isinstance(named, type) and issubclass(named, torch.nn.Module)):
            names = ", ".join(c.__name__ for c in classes) or "none"
            raise Refused(f"no nn.Module is called {name} in the file; there are: {names}")
        candidate = attempt(named)
        if candidate is None:
            raise Refused(f"{name} could not be made and run with any of the usual signatures on 1 or 3 channels")
        return candidate
    working = [c for c in (attempt(cls) for cls in dict.fromkeys(classes)) if c is not None]
    parts = {type(m) for c in working for m in c.model.modules() if m is not c.model}
    whole = [c for c in working if c.cls not in parts and _is_unet(c)] or [c for c in working if c.cls not in parts]
    if not whole:
        raise Refused("no class of the file maps an image of 1 or 3 channels to a mask; name one with --class")
    if len(whole) > 1:
        raise Refused(f"several classes could be the U-Net: {', '.join(c.cls.__name__ for c in whole)}; "
                      "name one with --class")
    return whole[0]


def _is_unet(candidate):
    """Whether a candidate has convolutions and changes resolution, which a mere block does not."""
    sizes = set()
    handles = [m.register_forward_hook(lambda m, a, o: sizes.add(o.shape[-1]) if isinstance(o, torch.Tensor)
                                       and o.dim() == 4 else None) for m in candidate.model.modules()]
    try:
        with torch.no_grad():
            candidate.forward(torch.rand(2, candidate.channels, candidate.size, candidate.size))
    finally:
        for handle in handles:
            handle.remove()
    return len(sizes) > 1


def attempt(cls):
    """The first way to make the class and run it on an image; None where there is none."""
    for constructor, make in signatures(cls):
        try:
            model = make()
        except Exception:
            continue
        for channels in (1, 3):
            for size in SIZES:
                candidate = Candidate(cls, constructor, model, channels, size)
                if _maps(candidate):
                    return candidate
    return None


def _maps(candidate):
    n, s = 2, candidate.size
    candidate.model.eval()
    try:
        with torch.no_grad():
            result = candidate.forward(torch.rand(n, candidate.channels, s, s))
    except Exception:
        return False
    return (isinstance(result, torch.Tensor) and result.shape[0] == n and result.numel() <= n * 8 * s * s
            and result.dim() in (3, 4) and result.shape[-1] > s // 4 and result.is_floating_point())


def signatures(cls):
    """(text, function) for each constructor call to try, the most telling first."""
    try:
        accepted = set(inspect.signature(cls.__init__).parameters)
    except (TypeError, ValueError):
        accepted = set()
    yield f"{cls.__name__}()", cls
    for names in CHANNEL_NAMES:
        if set(names) <= accepted:
            for channels in (1, 3):
                arguments = dict(zip(names, (channels, 1)))
                text = ", ".join(f"{k}={v}" for k, v in arguments.items())
                yield f"{cls.__name__}({text})", (lambda a=arguments: cls(**a))
    for positional in ((1, 1), (3, 1), (1,), (3,), (1, 1, 16), (1, 1, [16, 32, 64, 128]), (1, 2)):
        text = ", ".join(str(p) for p in positional)
        yield f"{cls.__name__}({text})", (lambda p=positional: cls(*p))
