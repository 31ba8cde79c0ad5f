"""Mode `capture` for TensorFlow: one run of main.py on the full training data, cut short wherever nothing new can be learnt.

    python /helper/run.py capture [--record DIR] [--seed N] -- main.py --data /data --out /out

Writes into DIR what the mode of PyTorch writes (see Documentation/GraphFormat.md). Exits with 0 whenever pipeline.json was written; what
could not be captured stands in its `refusals`.

How it goes. All functions run eagerly. `Model.fit` is given two batches, the second one item shorter, and one epoch: the operations between
the batch and the loss whose gradient is taken are recorded. The prediction is recorded from the model itself. The loop is what `fit` was told:
its epochs, its callbacks, the optimizer. The program then goes on to its end.
"""

import atexit
import contextlib
import json
import os
import sys

import numpy

from .. import launch
from ..jsonfile import write_json
from ..refusal import Refused
from ..unify import unified
from . import facts, hooks, layers, loop, start, tensors, watched
from .draft import TYPES, Draft
from .observe import Observer
from .own_loop import OwnLoop
from .sources import is_peek


class Step:
    """One batch on record."""

    def __init__(self, trace, batch, variables):
        self.trace, self.batch, self.variables = trace, batch, variables
        self.loss = self.output = self.mask = None
        # Whether the model was given other images than the loader gave.
        self.is_changed = False


class Conductor(Observer):
    """Watches a run whose training is cut short, and records two of its steps."""

    def __init__(self, code_root):
        super().__init__()
        self.code_root = code_root
        self.steps, self.predictions = [], []
        self.model, self.fitted, self.seed, self.seeds, self.split_by = None, None, None, {}, None
        self.fits, self.own_loop, self.loaded, self.has_logits = 0, False, False, False
        self.refusals, self.notes = [], []
        self.trace, self._guess, self._images, self._masks, self._modules = None, None, {}, {}, []
        self.watched, self.unwatched, self.told = {}, {}, None
        self._gradients, self._moves, self.step_rates = [], 0, []
        self.loop = OwnLoop()

    # What the program says of itself

    def seeded(self, library, value):
        if isinstance(value, int) and self.train is None:
            self.seed = value
            self.seeds.setdefault(library, value)

    def split(self, name, seed):
        self.split_by = self.split_by or (name, seed)

    def weights_loaded(self):
        self.loaded = self.loaded or self.fits > 0 or self.own_loop

    weights_set = weights_loaded

    def assigned(self, variable):
        """Weights that are set before the first step are what it starts from."""
        if not self.steps or not any(v is variable or v._value is variable for v in self.model.trainable_variables):
            return
        if self.own_loop:
            self.loop.fault("changes weights by other ways than its optimizer")
        elif self._inside > 0:
            self.refusals.append("a training that changes weights by other ways than its optimizer")
        else:
            self.weights_set()

    # The training

    def fit(self, model, arguments, run):
        self.fits += 1
        if self.fits > 1:
            self.refusals.append("fit is called more than once")
            return super().fit(model, arguments, lambda changed: run({**changed, "epochs": 1, "steps_per_epoch": 1, "verbose": 0}))
        self.model, self.fitted = model, dict(arguments)
        self.first_rate = self._rate(model)
        return super().fit(model, arguments, lambda changed: self._short(model, changed, run))

    def _rate(self, model):
        optimizer = getattr(model, "optimizer", None)
        return None if optimizer is None else loop.number(optimizer.learning_rate)

    def _short(self, model, arguments, run):
        """`fit` on two batches."""
        changed = {k: v for k, v in arguments.items() if k in ("callbacks", "class_weight", "initial_epoch")}
        try:
            pairs = two_batches(self.train)
            self._images, self._masks = {len(x): x for x, _ in pairs}, {len(x): y for x, y in pairs}
            changed["x"] = dataset_of(pairs)
            validation = self.parts()[1]
            if arguments.get("validation_data") is not None and validation is not None:
                changed["validation_data"] = dataset_of(two_batches(validation))
        except Refused as refusal:
            self.refusals.append(str(refusal))
            return run({**arguments, "epochs": 1, "steps_per_epoch": 1, "verbose": 0})
        if model.optimizer is None:
            self.refusals.append("a training without an optimizer of Keras")
            return run({**arguments, "epochs": 1, "steps_per_epoch": 1, "verbose": 0})
        with unmoved(model.optimizer, lambda *given: self._moved(model, *given)):
            result = run({**changed, "epochs": 1, "verbose": 0, "shuffle": False})
        self.told = set(result.history) if hasattr(result, "history") else None
        if self._moves != len(pairs) or len(self._gradients) != len(pairs):
            self.refusals.append("a train_step of the program's own that does not take one step of one optimizer a batch")
        self._predict(model, [x for x, _ in pairs])
        names = watched.wanted(loop.listed(arguments.get("callbacks")))
        self.watched, self.unwatched = watched.record(self, model, [n for n in names if n in (self.told or ())], pairs)
        return result

    def _moved(self, model, gradients, variables):
        """The optimizer was given gradients of variables."""
        self._moves += 1
        self.step_rates.append(self._rate(model))
        found = [g for g in (self._gradients[-1] if self._gradients else []) if g is not None]
        if {id(g) for g in gradients if g is not None} != {id(g) for g in found}:
            self.refusals.append("a train_step of the program's own that changes its gradients")
        if variables is not None and {id(v) for v in variables} != {id(v) for v in model.trainable_variables}:
            self.refusals.append("a train_step of the program's own that trains some of the weights alone")
        self._constrained(model)

    def _constrained(self, model):
        """A constraint is applied to the weights behind the optimizer's step."""
        if any(getattr(v, "constraint", None) is not None for v in model.trainable_variables):
            self.refusals.append("weights with a constraint")

    def gradients(self, found):
        import tensorflow

        if self.fitted is not None:
            self._gradients.append(tensorflow.nest.flatten(found))
        elif self.own_loop:
            self.loop.gradients(found)

    def clipped(self, given, made, clip):
        if self.own_loop:
            self.loop.clipped(given, made, clip)

    def applied(self, optimizer, gradients, variables, run):
        """A loop of the program's own takes no step, so that all of them start from the same weights."""
        if not self.own_loop or self.model is None:
            return run()
        if not optimizer.built:
            optimizer.build(list(variables) if variables is not None else self.model.trainable_variables)
        self.loop.applied(optimizer, gradients, variables, self.model, self.epoch, self.code_root)
        self._constrained(self.model)
        if len(self.steps) == 2 and not self.predictions:
            self._predict(self.model, [step.image for step in self.steps])
        optimizer.iterations.assign_add(1)
        return None

    def _predict(self, model, images):
        """Records the model in evaluation mode."""
        import tensorflow

        for batch in images:
            x = tensorflow.convert_to_tensor(batch)
            step = self.begin(model, x)
            output = model(x, training=False)
            self.end()
            step.image = batch
            while isinstance(output, (list, tuple, dict)):
                output = next(iter(output.values())) if isinstance(output, dict) else output[0]
            step.output, step.result = step.trace.value(output), output.numpy()
            self.predictions.append(step)

    def begin(self, model, x):
        from .recorder import Trace

        self.end()
        self.trace = Trace(self.code_root, self._innermost)
        step = Step(self.trace, int(x.shape[0]), variables_of(model))
        self.trace.name_input(x, "image")
        self.trace.start()
        return step

    def end(self):
        if self.trace is not None:
            self.trace.stop()
        self.trace = self._guess = None

    def _innermost(self):
        return self._modules[-1] if self._modules else None

    def called(self, model, forward, args, kwargs):
        given = training_of(args, kwargs)
        wanted = (len(self.steps) < 2 and given is not False and args and hasattr(args[0], "numpy")
                  and (model is self.model or (self.fits == 0 and self._inside == 0 and self.passes)))
        if not wanted or not (self.trace is None or self.trace is self._guess):
            return super().called(model, forward, args, kwargs)
        if self.fits == 0:
            self.model = model
        if not all(layer.built for layer in model._flatten_layers()):
            # Weights that are made in the first step would be part of it.
            super().called(model, forward, args[:1], {**kwargs, "training": False})
        self._recorded = self.begin(model, args[0])
        # A model whose call knows no `training` is called alike in validation: whether this is a step shows when it is differentiated.
        self._guess = self.trace if given is None else None
        self._recorded.image = args[0].numpy()
        given = self._images.get(self._recorded.batch)
        self._recorded.is_changed = given is not None and not same(given, self._recorded.image)
        result = super().called(model, forward, args, kwargs)
        if hasattr(result, "_id"):
            self._recorded.output = self._recorded.trace.value(result)
        return result

    def differentiated(self, target):
        if self.fits == 0:
            self.own_loop = True
        super().differentiated(target)
        if self.trace is None:
            return
        step, trace = self._recorded, self.trace
        self.end()
        step.loss, step.loss_value = trace.value(target), float(target.numpy())
        if step.is_changed:
            self.refusals.append("images that are changed between the loader and the model")
        mask = self._masks.get(step.batch)
        for entry in trace.entries:
            for value in entry.inputs:
                if value is not None and value not in trace.maker and value not in trace.named and mask is not None:
                    tensor = trace.tensors[value]
                    if tensor.dtype.name != "resource" and tuple(tensor.shape) == mask.shape and (tensor.numpy() == mask).all():
                        trace.named[value] = "mask"
                        step.mask = mask
        self.steps.append(step)

    def iterated(self, dataset, start):
        """Once a training of the program's own is known, a pass ends after two batches."""
        return start() if is_peek(dataset) else super().iterated(dataset, lambda: self._cut(dataset, start()))

    def _cut(self, dataset, batches):
        for count, batch in enumerate(batches, 1):
            if self.fits == 0 and len(self.steps) < 2 and isinstance(batch, (tuple, list)) and len(batch) == 2:
                batch = self._shortened(dataset, batch) if count == 2 else batch
                size = int(batch[0].shape[0])
                self._images[size], self._masks[size] = (b.numpy() if hasattr(b, "numpy") else b for b in batch)
            yield batch
            if count >= 2 and self.train is not None and self.fits == 0:
                return

    def _shortened(self, dataset, batch):
        """The second batch that a loop of the program's own trains on, an item shorter than the first."""
        if self.train is None or self.train is not self.sources.of(dataset) or not self.steps:
            return batch
        size = self.steps[0].batch - 1
        return batch if size < 1 else tuple(part[:size] for part in batch)


def same(a, b):
    """Whether two arrays hold the same numbers, of whatever element type."""
    import numpy

    a, b = numpy.asarray(a), numpy.asarray(b)
    return a.shape == b.shape and bool((a.astype(numpy.float32) == b.astype(numpy.float32)).all())


def training_of(args, kwargs):
    """Whether a model is called for training, `model(x, training=True)` or `model(x, True)`; None where the call does not say."""
    given = kwargs.get("training", args[1] if len(args) > 1 else None)
    return bool(given) if isinstance(given, (bool, int)) else None


@contextlib.contextmanager
def unmoved(optimizer, told):
    """An optimizer that leaves the weights alone, so that both steps start from the same ones; `told` hears gradients and variables."""

    def apply(gradients, trainable_variables=None, *args, **kwargs):
        told(list(gradients), None if trainable_variables is None else list(trainable_variables))

    def apply_gradients(pairs, *args, **kwargs):
        pairs = list(pairs)
        told([gradient for gradient, _ in pairs], [variable for _, variable in pairs])

    for name, function in (("apply", apply), ("apply_gradients", apply_gradients)):
        object.__setattr__(optimizer, name, function)
    try:
        yield
    finally:
        for name in ("apply", "apply_gradients"):
            object.__delattr__(optimizer, name)


def two_batches(source):
    """(images, masks) of a batch and of one that is an item shorter."""
    found = []
    for x, y in source.batches():
        if y is None:
            raise Refused("a batch without masks")
        found.append((x, y))
        if len(found) == 2:
            break
    if not found or len(found[0][0]) < 2:
        raise Refused("batches of a single item")
    (x, y), (later_x, later_y) = found[0], found[-1]
    size = len(x) - 1
    if len(later_x) < size:
        later_x, later_y = x, y
    return [(x, y), (later_x[:size], later_y[:size])]


def dataset_of(pairs):
    import tensorflow

    signature = tuple(tensorflow.TensorSpec((None, *part.shape[1:]), part.dtype) for part in pairs[0])
    return tensorflow.data.Dataset.from_generator(lambda: iter(pairs), output_signature=signature)


def named(model):
    """(variable, name) of each weight of a model, every name once."""
    found, names = [], set()
    for variable in model.variables:
        if not variable._value.dtype.is_floating:
            continue
        name = variable.path
        while name in names:
            name += "_"
        names.add(name)
        found.append((variable, name))
    return found


def variables_of(model):
    """(kind, name, array) of each weight, by the number of its handle."""
    trained = {id(v) for v in model.trainable_variables}
    return {variable._value.handle._id: ("parameters" if id(variable) in trained else "buffers", name, variable.numpy())
            for variable, name in named(model)}


def run(options):
    tensorflow = start.framework()
    start.seed_everything(options.seed)
    tensorflow.config.run_functions_eagerly(True)
    program = options.program
    conductor = Conductor(os.path.dirname(os.path.abspath(program[0])))
    hooks.install(conductor)
    layers.install(lambda: conductor.trace)
    code = launch.run_program(program)
    out = program[program.index("--out") + 1] if "--out" in program else "/out"
    write(options.record, conductor, code, out)
    atexit._clear()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def write(folder, conductor, code, out):
    pipeline = {"schema": 1, "capturable": False, "refusals": [], "notes": conductor.notes, "stochastic_data": False}
    if conductor.train is None:
        why = f"main.py ended with exit code {code} while it was captured" if code else "no training of Keras was seen"
        write_json(folder, "pipeline.json", {"schema": 1, "capturable": False, "refusals": [why]})
        return
    refusals = list(dict.fromkeys(conductor.refusals))

    def attempt(make, fallback=None):
        try:
            return make()
        except Refused as refusal:
            if str(refusal) not in refusals:
                refusals.append(str(refusal))
            return fallback

    def make_metric(steps, target):
        drafts = drafts_of(steps, target, constants)
        return drafts, lambda: graph_of(drafts, [step.batch for step in steps], "train")

    if code:
        refusals.append(f"main.py ended with exit code {code} while it was captured")
    if evaluates_another(conductor):
        refusals.append("another model is evaluated than the one that is trained")
    constants, metrics = {}, []
    train = attempt(lambda: train_graph(conductor, constants))
    evaluation = attempt(lambda: eval_graph(conductor, constants, threshold(out, conductor.notes)))
    if conductor.own_loop:
        attempt(lambda: conductor.loop.describe(conductor, pipeline))
        refusals += [line for line in conductor.loop.faults if line not in refusals]
    else:
        attempt(lambda: loop.describe(conductor, pipeline))
        metrics = attempt(lambda: watched.graphs(conductor, pipeline, (train, evaluation), make_metric), [])
    describe_parts(conductor, pipeline)
    splits = attempt(lambda: read_parts(conductor, pipeline), {})
    pipeline["facts"] = facts.collect(conductor, train, splits)
    if train is not None and evaluation is not None:
        write_reference(os.path.join(folder, "reference.safetensors"), conductor)
        for metric, graph in metrics:
            write_json(folder, metric.file, graph)
    if train is not None:
        for name, graph in (("train-graph.json", train), ("eval-graph.json", evaluation)):
            if graph is not None:
                write_json(folder, name, graph)
        write_weights(os.path.join(folder, "weights.safetensors"), conductor, constants, [train, evaluation])
    for name, (images, masks) in splits.items():
        tensors.write_split(os.path.join(folder, "data", name + ".safetensors"), [None] * len(images), images, masks)
    pipeline["refusals"], pipeline["capturable"] = refusals, not refusals
    write_json(folder, "pipeline.json", pipeline)


def evaluates_another(conductor):
    """Whether the model that was evaluated last shares no weight with the trained one, such as an average that the program keeps."""
    model, evaluated = conductor.model, conductor.evaluated_model
    if None in (model, evaluated) or evaluated is model or conductor.loaded or not evaluated.variables:
        return False
    trained = {id(v) for v in model.variables}
    return not any(id(v) in trained for v in evaluated.variables)


def write_weights(path, conductor, constants, graphs):
    arrays = dict(constants)
    read = {leaf["name"] for graph in graphs if graph for kind in ("parameters", "buffers", "constants") for leaf in graph[kind]}
    arrays |= conductor.kept
    tensors.save(path, {name: array for name, array in arrays.items() if name in read})


def write_reference(path, conductor):
    """What the pipeline computed of the recorded batches, for the host to compute again: see `CaptureVerification`."""
    found = {}
    for letter, step, prediction in zip("ab", conductor.steps, conductor.predictions):
        found["image." + letter] = tensors.channels_first(step.image)
        found["mask." + letter] = tensors.channels_first(step.mask)
        found["loss." + letter] = numpy.array([step.loss_value], numpy.float32)
        output = tensors.channels_first(prediction.result)
        found["probability." + letter] = 1 / (1 + numpy.exp(-output)) if conductor.has_logits else output
        # Running statistics have moved since the first step.
        found |= {"weight." + name: array for kind, name, array in prediction.variables.values() if kind == "buffers"}
        for metric in conductor.watched.values():
            value = metric.values["ab".index(letter)]
            found[f"metric.{metric.number}.{letter}"] = numpy.array([value], numpy.float32)
    tensors.save(path, found)


def drafts_of(steps, target, constants):
    drafts = []
    for step in steps[:2]:
        draft = Draft(step.trace, target(step), step.variables, constants)
        draft.prune()
        drafts.append(draft)
    return drafts


def graph_of(drafts, sizes, kind):
    graph = unified(*drafts, sizes, TYPES, lambda a, b: a.shape == b.shape and bool((a == b).all()))
    graph["kind"] = kind
    return graph


def train_graph(conductor, constants):
    if len(conductor.steps) < 2:
        raise Refused("no two steps of training a model were seen")
    drafts = drafts_of(conductor.steps, lambda step: step.loss, constants)
    graph = graph_of(drafts, [step.batch for step in conductor.steps[:2]], "train")
    graph["outputs"] = {"loss": drafts[0].target}
    if sorted(leaf["name"] for leaf in graph["inputs"]) != ["image", "mask"]:
        raise Refused("the loss does not read image and mask alone")
    if not graph["parameters"]:
        raise Refused("the loss does not depend on any parameter of the model")
    conductor.kept = {name: array for kind, name, array in drafts[0].leaves.values() if kind in ("parameters", "buffers")}
    bound = drafts[0]._bound.get(conductor.steps[0].output)
    conductor.model_output = bound[1] if bound is not None else None
    return graph


def eval_graph(conductor, constants, decision):
    if len(conductor.predictions) < 2:
        raise Refused("the model was not seen in evaluation")
    drafts = drafts_of(conductor.predictions, lambda step: step.output, constants)
    for draft, step in zip(drafts, conductor.predictions):
        shape = draft.dimensions[draft.target]
        if len(shape) != 4 or shape[-1] != 1:
            raise Refused(f"the model predicts {list(shape)}, where a binary mask needs one channel")
        maker = draft.maker(draft.target)
        while maker is not None and maker["op"] in ("reshape", "permute", "pad", "slice"):
            maker = draft.maker(maker["inputs"][0])
        if maker is None or maker["op"] not in ("sigmoid", "softmax"):
            draft.target = draft.node("sigmoid", [draft.target], {}, step.trace.maker[step.output])
            conductor.has_logits = True
    graph = graph_of(drafts, [step.batch for step in conductor.predictions[:2]], "eval")
    graph["outputs"] = {"probability": drafts[0].target}
    graph["threshold"] = {"value": decision, "comparison": "gt"}
    return graph


def threshold(out, notes):
    """As config.json states it: Keras pipelines compare arrays, out of sight."""
    try:
        with open(os.path.join(out, "config.json")) as file:
            value = json.load(file)["threshold"]
        if isinstance(value, (int, float)) and 0 <= value <= 1:
            notes.append("the threshold is the one that config.json states")
            return float(value)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    notes.append("no threshold was stated; 0.5 was taken")
    return 0.5


def describe_parts(conductor, pipeline):
    counts = [source.counts() if source is not None else None for source in conductor.parts()]
    for key, part in zip(("batch_size", "validation_batch_size", "test_batch_size"), counts):
        pipeline[key] = part[2] if part is not None else None
    pipeline.setdefault("epochs", conductor.epochs_planned)
    own = conductor.default_epochs
    pipeline["own_epochs"] = own if isinstance(own, int) and not isinstance(own, bool) else None
    pipeline["seed"] = conductor.seed
    pipeline["drop_last"] = False
    pipeline["inputs"] = [{"name": "image", "item": 0}, {"name": "mask", "item": 1}]


def read_parts(conductor, pipeline):
    """(images, masks) of each part, N C H W, and whether the order of the training part changes."""
    found = {}
    for name, source in zip(("train", "validation", "test"), conductor.parts()):
        if source is None:
            raise Refused(f"no {name} data were seen")
        if source.is_endless():
            raise Refused(f"{name} data that never end")
        if source.drops_rest() and name == "train":
            raise Refused("the last, smaller batch of the training data is left out")
        try:
            first, second = whole(source), whole(source)
        except tensors.Unreadable as problem:
            raise Refused(str(problem)) from None
        if name == "train":
            shuffled = not all(numpy.array_equal(a, b) for a, b in zip(first, second))
            # `fit` itself shuffles arrays, by their items, and not what yields batches.
            pipeline["shuffle"] = shuffled or (source.is_arrays() and bool((conductor.fitted or {}).get("shuffle", True)))
        if sorted(prints(first)) != sorted(prints(second)):
            pipeline["stochastic_data"] = True
        found[name] = first
    return found


def whole(source):
    images, masks = [], []
    for x, y in source.batches():
        if y is None:
            raise Refused("a batch without masks")
        images.append(tensors.channels_first(x))
        masks.append(tensors.channels_first(y))
    return numpy.concatenate(images), numpy.concatenate(masks)


def prints(pair):
    """One hash an item."""
    return [hash((image.tobytes(), mask.tobytes())) for image, mask in zip(*pair)]
