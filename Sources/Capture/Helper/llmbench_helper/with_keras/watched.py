"""What callbacks watch on the validation data beside the loss: the means that a model's `test_step` keeps, each recorded as a graph.

A metric that is given as a function, one of Keras' own that averages over items or batches, or a `keras.metrics.Mean` of the program's own
`test_step` all end in `Mean.update_state`, where the value of a batch is heard. Metrics that are no such means (areas under curves, means over
classes) are refused where something watches them.
"""

import contextlib

from ..refusal import Refused

# Graphs of a capture, at most.
MOST = 4


class Watched:
    """One mean over the validation data."""

    def __init__(self, number, name):
        self.monitor, self.name, self.number = f"validation_metric_{number}", name, number
        self.steps, self.values, self.mean = [], [], None

    @property
    def file(self):
        return f"metric-graph-{self.number}.json"

    def entry(self):
        """Its line in `metrics` of pipeline.json."""
        return {"monitor": self.monitor, "name": self.name, "mean": self.mean}


def wanted(callbacks):
    """The names that callbacks watch, each once."""
    import keras

    kinds = (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau, keras.callbacks.ModelCheckpoint)
    names = [c.monitor for c in callbacks if isinstance(c, kinds) and getattr(c, "save_best_only", True)]
    return list(dict.fromkeys(names))


def own(model, step):
    """Whether a model's train_step or test_step is the program's own."""
    import keras

    return getattr(type(model), step) is not getattr(keras.Model, step)


def of_its_own(model):
    """Whether training and validation may have two losses: the program's own step, and what `compile` was given."""
    return own(model, "train_step") or own(model, "test_step")


def record(conductor, model, names, pairs):
    """(a `Watched` of each name that a graph is needed for, one line a name that none could be made of)."""
    import tensorflow

    needed = [n for n in names if n.startswith("val_") and (n != "val_loss" or of_its_own(model))]
    if not needed:
        return {}, {}
    found = {name: Watched(number, name) for number, name in enumerate(needed[:MOST], 1)}
    lines = {name: f"callbacks that watch more than {MOST} metrics" for name in needed[MOST:]}
    for x, y in pairs:
        heard = []
        images, masks = tensorflow.convert_to_tensor(x), tensorflow.convert_to_tensor(y)
        model.reset_metrics()
        step = conductor.begin(model, images)
        step.trace.name_input(masks, "mask")
        try:
            with overheard(step.trace, heard):
                told = model.test_step((images, masks))
        finally:
            conductor.end()
        step.image = x
        for name, metric in list(found.items()):
            line = take(metric, name, name.removeprefix("val_"), step, heard, told)
            if line is not None:
                lines[name] = line
                del found[name]
    model.reset_metrics()
    return found, lines


@contextlib.contextmanager
def overheard(trace, heard):
    """Every value that a mean is given while this lasts."""
    import keras

    mean = keras.metrics.Mean
    original = mean.update_state

    def update_state(self, values, sample_weight=None):
        heard.append((self, values, sample_weight))
        with trace.paused():
            return original(self, values, sample_weight=sample_weight)

    mean.update_state = update_state
    try:
        yield
    finally:
        mean.update_state = original


def take(metric, name, short, step, heard, told):
    """Adds a step to a metric; a line where it cannot be."""
    given = [(values, weight) for tracker, values, weight in heard if tracker.name == short]
    if len(given) != 1 or short not in told:
        return f"a callback that watches {name}, which is not a mean of a value a batch or an item"
    values, weight = given[0]
    if not hasattr(values, "_id"):
        return f"a callback that watches {name}, which no operation of TensorFlow makes"
    counts = None if weight is None else float(tally(weight))
    size = int(step.image.shape[0])
    if counts not in (None, float(size)):
        return f"a callback that watches {name}, a mean with weights of its own"
    metric.mean = "samples" if counts is not None or values.shape.rank else "batches"
    metric.steps.append((step, step.trace.value(values)))
    metric.values.append(float(told[short]))
    return None


def tally(weight):
    import numpy

    return numpy.sum(weight.numpy() if hasattr(weight, "numpy") else weight)


def graphs(conductor, pipeline, others, make):
    """(metric, graph from images and masks to its value on a batch) of each metric that the loop depends on.

    others: the graphs of the step and of the prediction. make: (drafts, a function that makes a graph of them) of steps and their targets.
    """
    read = [part.get("monitor") or part.get("when", "").removeprefix("metric:")
            for part in (pipeline.get("early_stopping"), pipeline.get("evaluated_weights"), pipeline.get("scheduler")) if part]
    conductor.watched = {name: metric for name, metric in conductor.watched.items() if metric.monitor in read}
    if None in others:
        return []
    known = {leaf["name"] for graph in others for leaf in graph["constants"]}
    found = [(metric, graph_of(metric, make, known)) for metric in conductor.watched.values()]
    if found:
        pipeline["metrics"] = [metric.entry() for metric, _ in found]
    return found


def graph_of(metric, make, known):
    targets = {id(step): value for step, value in metric.steps}
    drafts, finish = make([step for step, _ in metric.steps], lambda step: targets[id(step)])
    for draft, (step, value) in zip(drafts, metric.steps):
        if len(draft.dimensions[draft.target]):
            draft.target = draft.node("mean", [draft.target], {"axes": [], "keepdim": False}, step.trace.maker[value], shape=())
    made = finish()
    made["outputs"] = {"loss": drafts[0].target}
    if not {leaf["name"] for leaf in made["inputs"]} <= {"image", "mask"}:
        raise Refused(f"a callback that watches {metric.name}, which reads more than image and mask")
    if {leaf["name"] for leaf in made["constants"]} - known:
        raise Refused(f"a callback that watches {metric.name}, which has constants of its own")
    return made


class Monitors:
    """What the names that callbacks watch are called in pipeline.json."""

    def __init__(self, conductor):
        self.conductor = conductor

    def is_told(self, name):
        """Whether `fit` measures anything of that name; a callback that watches something else never acts."""
        return self.conductor.told is None or name in self.conductor.told

    def __getitem__(self, name):
        conductor = self.conductor
        if name in conductor.watched:
            return conductor.watched[name].monitor
        if name in conductor.unwatched:
            raise Refused(conductor.unwatched[name])
        if name == "val_loss" and not of_its_own(conductor.model):
            return "validation_loss"
        if name == "loss" and not own(conductor.model, "train_step"):
            return "train_loss"
        raise Refused(f"a callback that watches {name}, which is measured on training batches")
