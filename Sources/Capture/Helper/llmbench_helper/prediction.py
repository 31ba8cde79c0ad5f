"""From the operations of an evaluation step to the prediction: where the probability is, and the threshold behind it."""

import math

import torch

from .graph import Draft
from .ops import Refused
from .recorder import Ref

COMPARISONS = {"aten.gt.Scalar": "gt", "aten.ge.Scalar": "ge", "aten.lt.Scalar": "ge", "aten.le.Scalar": "gt"}
TRANSPARENT = ("view", "_unsafe_view", "select", "slice", "squeeze", "unsqueeze", "clone", "detach", "alias", "_to_copy",
               "clamp", "clamp_min", "clamp_max", "expand", "split", "contiguous", "permute")


class Prediction:
    """What an evaluation step does with the model's output."""

    def __init__(self, value, kind, threshold, comparison, note):
        self.value, self.kind = value, kind
        self.threshold, self.comparison, self.note = threshold, comparison, note


def plain(entry):
    return entry.name.split(".")[1]


def find(trace, outputs):
    """The prediction of a step whose model returned the values `outputs`.

    A comparison with a number, a rounding or an argmax of something that stems from the output tells the threshold; what
    lies before it tells whether the compared values are probabilities.
    """
    maker = {o: e for e in trace.entries for o in e.outputs if o is not None}
    derived, last_probability = set(outputs), None
    # Two classes may become one; anything smaller than that is a score, or one item out of the batch.
    needed = min(math.prod(trace.shapes[o]) for o in outputs) // 2
    for entry in trace.entries:
        if not any(v in derived for v in entry.reads()):
            continue
        derived.update(o for o in entry.outputs if o is not None)
        if plain(entry) in ("sigmoid", "_softmax"):
            last_probability = entry.outputs[0]
        chosen = _decision(entry, derived, trace, maker, needed)
        if chosen is None:
            continue
        value, threshold, comparison, arg = chosen
        kind = _kind(value, maker)
        if arg:
            return Prediction(value, "classes" if kind == "probability" else "class logits", 0.5, "gt", None)
        if kind == "logit":
            threshold = 1 / (1 + math.exp(-threshold))
        return Prediction(value, kind, threshold, comparison, None)
    note = "no threshold was seen in PyTorch operations; 0.5 was taken"
    if last_probability is not None:
        return Prediction(last_probability, "probability", 0.5, "gt", note)
    value = next(iter(outputs))
    return Prediction(value, _kind(value, maker), 0.5, "gt", note)


def _decision(entry, derived, trace, maker, needed):
    name = entry.name
    if not entry.args or not isinstance(entry.args[0], Ref) or entry.args[0].value not in derived:
        return None
    value = entry.args[0].value
    if not trace.dtypes[value].is_floating_point:
        return None
    while math.prod(trace.shapes[value]) < needed:
        before = maker.get(value)
        if before is None or plain(before) not in TRANSPARENT or not isinstance(before.args[0], Ref):
            return None
        value = before.args[0].value
    if name in COMPARISONS:
        return value, float(entry.args[1]), COMPARISONS[name], False
    if name == "aten.round.default":
        return value, 0.5, "gt", False
    if name == "aten.argmax.default" and len(trace.shapes[value]) >= 3:
        return value, 0.5, "gt", True
    return None


def _kind(value, maker):
    while True:
        entry = maker.get(value)
        if entry is None:
            return "logit"
        if plain(entry) in ("sigmoid", "sigmoid_", "_softmax", "hardsigmoid"):
            return "probability"
        if plain(entry) not in TRANSPARENT or not isinstance(entry.args[0], Ref):
            return "logit"
        value = entry.args[0].value


def draft(trace, prediction, leaf_name, image_shape):
    """The evaluation graph of one recorded step, from the image to probabilities N 1 H W."""
    result = Draft(trace, prediction.value, leaf_name, differentiable=False)
    entry = _Tail(trace, prediction.value)
    value, shape = result.target, result.shape(result.target)
    n, (h, w) = image_shape[0], image_shape[-2:]

    def add(op, attributes, shape):
        return result.node(op, [value], attributes, entry, shape=shape, dtype=torch.float32)

    classes = prediction.kind.startswith("class")
    if len(shape) == 4 and shape[1] > 1:
        if shape[1] != 2:
            raise Refused(f"the model predicts {shape[1]} channels, where a binary mask needs one or two")
        if prediction.kind in ("class logits", "logit"):
            value = add("softmax", {"axis": 1}, shape)
        value = add("slice", {"axis": 1, "start": 1, "end": 2, "step": 1}, (n, 1, h, w) if shape[-2:] == (h, w) else
                    (n, 1, *shape[-2:]))
        shape = result.shape(value)
    elif classes:
        raise Refused("argmax over a single channel")
    elif prediction.kind == "logit":
        value = add("sigmoid", {}, shape)
    if math.prod(shape) != n * h * w:
        raise Refused(f"the prediction has shape {list(shape)} for images of {h} × {w}: not one value a pixel")
    if tuple(shape) != (n, 1, h, w):
        value = add("reshape", {"shape": [n, 1, h, w]}, (n, 1, h, w))
    result.target = value
    result.prune([value])
    return result


class _Tail:
    """Stands for the entry of a node that the helper adds behind the recorded ones."""

    source = module = None

    def __init__(self, trace, value):
        self.outputs = [value]
