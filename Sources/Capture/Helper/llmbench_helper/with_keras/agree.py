"""Mode `agree` for TensorFlow: what TensorFlow makes of a captured pipeline, for another engine to be compared with.

    python /helper/run.py agree --job FILE [--kernels KIND] [--capture DIR] [--record DIR] [--seed N] -- main.py --data /data --out /out

main.py runs until it calls `fit`. Its model then gets the captured weights and is trained by its own optimizer and loss, compiled as the
program compiled it, on the batches of the job: {"batches": [[3, 1], [0, 2]]}, indices into data/train.safetensors. Dropout keeps
everything. Each variant begins anew, from the captured weights and an optimizer that has not stepped.

TensorFlow chooses its kernels when it is loaded, so a process knows one kind. `--kernels onednn` (the default, and what a program gets)
trains the variants `default`, `xla` (the same step compiled by XLA, which fuses and adds in another order) and `perturbed` (weights that
are off by at most one part in a million each). `--kernels eigen` (oneDNN left out: other algorithms of convolution, another order of
sums) trains `eigen`. What these differ from `default` by tells what a difference of another engine means.

Writes DIR/agree.safetensors as the mode `agree` of PyTorch does: `before`, `gradient.V.NAME`, `loss.V` and `after.V`; and DIR/notes.json, a
list of lines: a variant that TensorFlow cannot make. Exit code 0; 1 with one line on standard error.
"""

import atexit
import json
import os
import sys

import numpy

from .. import launch
from ..jsonfile import write_json
from . import capture, emitted, first_losses, hooks, start, tensors

VARIANTS = {"onednn": ("default", "xla", "perturbed"), "eigen": ("eigen",)}
PERTURBATION = 1e-6


def add_options(parser):
    parser.add_argument("--job", required=True)
    parser.add_argument("--kernels", choices=sorted(VARIANTS), default="onednn")
    parser.add_argument("--capture", default="/capture")


class Substitute(hooks.Watcher):
    """Trains in the place of `fit`."""

    def __init__(self, options):
        self.options, self.found, self.notes = options, {}, []

    def fit(self, model, arguments, run):
        with open(self.options.job) as file:
            self.batches = json.load(file)["batches"]
        folder = self.options.capture
        self.weights = os.path.join(folder, "weights.safetensors")
        self.images, self.masks = tensors.read_pairs(os.path.join(folder, "data", "train.safetensors"))
        self.heldout = tensors.read_split(os.path.join(folder, "data", "heldout.safetensors"))[1]
        # A model may have been called by nobody yet, and have no weights to give anything to.
        self._pair(self.batches[0], lambda x, y: model(x, training=False))
        model.optimizer.build(model.trainable_variables)
        self.fresh = [variable.numpy() for variable in model.optimizer.variables]
        for variant in VARIANTS[self.options.kernels]:
            try:
                self.found |= self._train(model, variant)
            except Exception as problem:
                if variant != "xla":
                    raise
                self.notes.append(f"XLA does not compile this step ({type(problem).__name__})")
        raise launch.Stop

    def _pair(self, batch, use):
        return use(*(numpy.moveaxis(part[batch], 1, -1) for part in (self.images, self.masks)))

    def _begin(self, model, variant):
        """The captured weights, and an optimizer that has not stepped."""
        first_losses.give(model, self.weights)
        for variable, value in zip(model.optimizer.variables, self.fresh):
            variable.assign(value)
        if variant == "perturbed":
            noise = numpy.random.default_rng(1)
            for variable in model.trainable_variables:
                value = variable.numpy()
                factor = 1 + PERTURBATION * noise.uniform(-1, 1, value.shape).astype(numpy.float32)
                variable.assign(value * factor)

    def _train(self, model, variant):
        found = {}
        self._begin(model, variant)
        if variant == "default":
            found["before"] = self._probabilities(model)
        gradients = self._pair(self.batches[0], lambda x, y: gradients_of(model, x, y, variant == "xla"))
        found |= {f"gradient.{variant}.{name}": value for name, value in gradients.items()}
        # Running statistics have moved.
        self._begin(model, variant)
        model.jit_compile = variant == "xla"
        model.make_train_function(force=True)
        losses = []
        for batch in self.batches:
            model.reset_metrics()
            losses.append(self._pair(batch, lambda x, y: first_losses.step(model, x, y)))
        found["loss." + variant] = numpy.array(losses, numpy.float32)
        found["after." + variant] = self._probabilities(model)
        return found

    def _probabilities(self, model):
        outputs = [emitted.first(model(numpy.moveaxis(self.heldout[i:i + 8], 1, -1), training=False))
                   for i in range(0, len(self.heldout), 8)]
        return emitted.probabilities(numpy.concatenate(outputs))


def gradients_of(model, x, y, compiled):
    """Of the first batch, by name, as the format keeps weights: what the model's train_step hands to its optimizer."""
    import tensorflow

    taken = []
    with capture.unmoved(model.optimizer, lambda gradients, _: taken.append(gradients)):
        @tensorflow.function(jit_compile=compiled)
        def differentiate(x, y):
            taken.clear()
            model.train_step((x, y))
            return taken[0]

        found = differentiate(tensorflow.constant(x), tensorflow.constant(y))
    names = {id(variable): name for variable, name in capture.named(model)}
    return {names[id(variable)]: kept(gradient.numpy())
            for variable, gradient in zip(model.trainable_variables, found) if gradient is not None}


def kept(array):
    """A weight's axes as the format has them: see `Draft.leaf`."""
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T if array.ndim == 2 else array


def run(options):
    # Read when TensorFlow is loaded.
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1" if options.kernels == "onednn" else "0"
    start.seed_everything(options.seed)
    substitute = Substitute(options)
    hooks.install(substitute)
    first_losses.without_dropout()
    try:
        launch.run_program(options.program)
    except launch.Stop:
        pass
    if not any(name.startswith("after.") for name in substitute.found):
        sys.exit("agree: the program did not come to fit")
    tensors.save(os.path.join(options.record, "agree.safetensors"), substitute.found)
    write_json(options.record, "notes.json", substitute.notes)
    atexit._clear()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
