"""Mode `describe` for Keras: what architecture is the U-Net of a Python file?

    python /helper/run.py describe [--class NAME] [--record DIR] [--seed N] -- FILE.py

The U-Net is what a function of the file returns, or an instance of a subclass of keras.Model: a model that maps an image of one or three
channels to values of the image's height and width. Parameters are given by their names (sizes, shapes, channels, classes), or by position in
the usual ways. Where a function returns what a class of the file makes, the function is taken. Writes what the mode of PyTorch writes.
"""

import inspect
import itertools
import os

import numpy

from ..jsonfile import write_json
from .. import launch
from ..refusal import Refused
from . import capture, layers, start
from .recorder import Trace

SIZES = (64, 128, 256)
SHAPES = {"input_shape", "shape", "img_shape", "image_shape", "inp_shape", "in_shape"}
SIDES = {"size", "image_size", "img_size", "input_size", "height", "width", "img_height", "img_width", "image_height", "image_width",
         "h", "w", "input_height", "input_width", "resolution"}
CHANNELS = {"channels", "in_channels", "n_channels", "num_channels", "input_channels", "img_channels", "image_channels", "in_ch"}
CLASSES = {"classes", "num_classes", "n_classes", "out_channels", "output_channels", "num_outputs", "n_outputs", "out_ch"}


def add_options(parser):
    parser.add_argument("--class", dest="class_name")


def run(options):
    found, error = examine(options)
    write_json(options.record, "describe.json", {"error": error} if error else found.described)
    launch.finish(1 if error else 0)


def examine(options):
    """(Candidate, None), or (None, one sentence)."""
    tensorflow = start.framework()
    start.seed_everything(options.seed)
    tensorflow.config.run_functions_eagerly(True)
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


def first(result):
    while isinstance(result, (list, tuple, dict)):
        result = next(iter(result.values())) if isinstance(result, dict) else result[0]
    return result


class Candidate:
    """A model that works as a U-Net, what made it, and on which image. Images are N H W C, as Keras has them."""

    def __init__(self, maker, constructor, model, channels, size):
        self.maker, self.constructor, self.model = maker, constructor, model
        self.channels, self.size = channels, size

    def forward(self, images, training=False):
        return first(self.model(images, training=training))

    def capture(self, code_root):
        """Records a training step (mean squared error against noise); dropout is off."""
        self.code_root, self.current = code_root, None
        self.images, output = self._images()
        generator = numpy.random.default_rng(2)
        self.targets = [generator.random((len(x), *output.shape[1:]), numpy.float32) for x in self.images]
        for layer in self.model._flatten_layers():
            if "Dropout" in type(layer).__name__ and hasattr(layer, "rate"):
                layer.rate = 0
        layers.install(lambda: self.current)
        self.start = [(variable, variable.numpy()) for variable in self.model.variables]
        self.constants = {}
        self.steps = [self.record(x, y) for x, y in zip(self.images, self.targets)]
        self.restore()
        self.drafts = capture.drafts_of(self.steps, lambda step: step.loss, self.constants)
        self.train_graph = capture.graph_of(self.drafts, [step.batch for step in self.steps], "train")
        self.train_graph["outputs"] = {"loss": self.drafts[0].target}
        self.described = {"class": self.maker, "constructor": self.constructor, "input_channels": self.channels,
                          "trainable_parameters": sum(int(numpy.prod(v.shape)) for v in self.model.trainable_variables)}
        bound = self.drafts[0]._bound.get(self.steps[0].output)
        if bound is None:
            raise Refused(f"{self.maker} returns its image unchanged")
        from ..architecture import Architecture

        self.described.update(Architecture(self.train_graph, bound[1]).describe())

    def _images(self):
        """Larger than the smallest image that works: one pixel in the bottleneck makes batch statistics all noise."""
        generator = numpy.random.default_rng(1)
        for size in (self.size if self.size >= 128 else 2 * self.size, self.size):
            images = [generator.random((n, size, size, self.channels), numpy.float32) for n in (4, 3)]
            try:
                return images, self.forward(images[0])
            except Exception:
                if size == self.size:
                    raise

    def restore(self):
        """The weights as they were made: a step moves running statistics."""
        for variable, value in self.start:
            variable.assign(value)

    def record(self, image, target=None):
        """A step where there is a target, with its gradients; a prediction otherwise."""
        import tensorflow

        x = tensorflow.convert_to_tensor(image)
        y = None if target is None else tensorflow.convert_to_tensor(target)
        trace = Trace(self.code_root, lambda: None)
        step = capture.Step(trace, len(image), capture.variables_of(self.model))
        trace.name_input(x, "image")
        if y is not None:
            trace.name_input(y, "mask")
        with tensorflow.GradientTape() as tape:
            self.current = trace
            trace.start()
            try:
                output = self.forward(x, training=y is not None)
                loss = None if y is None else tensorflow.reduce_mean(tensorflow.square(output - y))
            finally:
                trace.stop()
                self.current = None
        step.output, step.result = trace.value(output), output.numpy()
        if y is not None:
            step.loss, step.loss_value = trace.value(loss), float(loss.numpy())
            step.gradients = tape.gradient(loss, self.model.trainable_variables)
        return step


def find(module, name):
    import keras

    def own(value):
        if getattr(value, "__module__", None) != module.__name__:
            return False
        return inspect.isfunction(value) or isinstance(value, type) and issubclass(value, keras.Model)

    makers = [v for v in dict.fromkeys(filter(callable, vars(module).values())) if own(v)]
    if name is not None:
        if getattr(module, name, None) not in makers:
            names = ", ".join(m.__name__ for m in makers) or "none"
            raise Refused(f"no function or keras.Model is called {name} in the file; there are: {names}")
        candidate = attempt(getattr(module, name))
        if candidate is None:
            raise Refused(f"{name} could not be made and run with any of the usual arguments on 1 or 3 channels")
        return candidate
    working = [c for c in (attempt(maker) for maker in makers) if c is not None]
    parts = {type(layer) for c in working for layer in c.model._flatten_layers() if layer is not c.model}
    made = {type(c.model).__name__ for c in working if c.maker != type(c.model).__name__}
    whole = [c for c in working if type(c.model) not in parts - {keras.Model} and c.maker not in made]
    whole = [c for c in whole if changes_resolution(c.model)] or whole
    if not whole:
        raise Refused("no function or class of the file makes a model that maps an image of 1 or 3 channels to a mask; name one with --class")
    if len(whole) > 1:
        raise Refused(f"several could be the U-Net: {', '.join(c.maker for c in whole)}; name one with --class")
    return whole[0]


def changes_resolution(model):
    """Whether a model goes down in resolution, which a mere block does not."""
    kinds = ("Pooling", "Conv", "Resizing", "UpSampling")
    return any(max(_numbers(getattr(layer, "strides", 1)) + _numbers(getattr(layer, "size", 1))) > 1
               for layer in model._flatten_layers() if any(k in type(layer).__name__ for k in kinds))


def _numbers(value):
    return [n for n in (value if isinstance(value, (tuple, list)) else [value]) if isinstance(n, int)] or [1]


def attempt(maker):
    """The first way to make a model that maps an image to a mask; None where there is none."""
    import keras

    for size, channels in itertools.product(SIZES, (1, 3)):
        for text, make in calls(maker, size, channels):
            try:
                model = make()
            except (Exception, SystemExit):
                continue
            if not isinstance(model, keras.Model):
                continue
            shape = getattr(model, "input_shape", None) if getattr(model, "built", False) else None
            known = shape if isinstance(shape, tuple) and len(shape) == 4 else (None, size, size, channels)
            for side in [known[1]] if known[1] else SIZES:
                candidate = Candidate(maker.__name__, text, model, known[3] or channels, side)
                if _maps(candidate):
                    return candidate
    return None


def _maps(candidate):
    n, s = 2, candidate.size
    try:
        result = candidate.forward(numpy.random.default_rng(0).random((n, s, s, candidate.channels), numpy.float32))
    except Exception:
        return False
    shape = tuple(getattr(result, "shape", ()))
    return len(shape) == 4 and shape[0] == n and s // 4 < shape[1] <= s and shape[-1] <= 8 and result.dtype.is_floating


def calls(maker, size, channels):
    """(text, function) for each call to try, the most telling first."""
    try:
        parameters = [p for p in inspect.signature(maker).parameters.values()
                      if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    except (TypeError, ValueError):
        parameters = []
    needed = [p for p in parameters if p.default is p.empty]
    if not needed:
        yield f"{maker.__name__}()", maker
    # A parameter called `input_size` may be a side or a shape.
    for sides_are_shapes in (False, True):
        given = {}
        for p in parameters:
            if p.name in SHAPES or sides_are_shapes and p.name in SIDES:
                given[p.name] = (size, size, channels)
            elif p.name in SIDES:
                given[p.name] = size
            elif p.name in CHANNELS:
                given[p.name] = channels
            elif p.name in CLASSES:
                given[p.name] = 1
        if given and all(p.name in given for p in needed):
            text = ", ".join(f"{k}={v}" for k, v in given.items())
            yield f"{maker.__name__}({text})", (lambda g=given: maker(**g))
    for positional in (((size, size, channels),), (size, channels), (size,), (size, size, channels), (channels, 1), (channels,)):
        if len(needed) <= len(positional) <= len(parameters):
            text = ", ".join(str(p) for p in positional)
            yield f"{maker.__name__}({text})", (lambda p=positional: maker(*p))
