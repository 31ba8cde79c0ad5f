"""From TensorFlow's operations to those of the graph format.

Each handler receives the draft and one recorded entry, adds nodes, and returns the ids of the entry's outputs. What no handler knows is
refused by name.
"""

import math

import numpy

from ..refusal import Refused
from .draft import ORDER, PLACE

HANDLERS = {}


def translate(draft, entry):
    place = f" at {entry.source}" if entry.source else ""
    handler = HANDLERS.get(entry.name)
    if handler is None:
        raise Refused(f"operation {entry.name}{place} is not in the graph format")
    try:
        made = handler(draft, entry)
    except Refused as refusal:
        raise Refused(f"{refusal}{place}") from None
    return made if isinstance(made, list) else [made]


def handles(*names):
    def register(function):
        for name in names:
            HANDLERS[name] = function
        return function

    return register


UNARY = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Neg": "neg", "Abs": "abs", "Exp": "exp", "Log": "log", "Log1p": "log1p",
    "Sqrt": "sqrt", "Rsqrt": "rsqrt", "Square": "square", "Reciprocal": "reciprocal", "Inv": "reciprocal", "Sign": "sign",
    "Floor": "floor", "Round": "round", "Rint": "round", "LogicalNot": "logical_not", "StopGradient": "detach",
}
for _name, _op in UNARY.items():
    HANDLERS[_name] = lambda draft, entry, op=_op: draft.node(op, [draft.input(entry.inputs[0])], {}, entry)


@handles("Identity", "PreventGradient", "CheckNumerics", "EnsureShape", "Snapshot")
def identity(draft, entry):
    return draft.input(entry.inputs[0])


@handles("Relu6")
def relu6(draft, entry):
    return draft.node("hardtanh", [draft.input(entry.inputs[0])], {"min": 0.0, "max": 6.0}, entry)


@handles("LeakyRelu")
def leaky_relu(draft, entry):
    return draft.node("leaky_relu", [draft.input(entry.inputs[0])], {"negative_slope": float(entry.attributes["alpha"])}, entry)


@handles("Elu")
def elu(draft, entry):
    return draft.node("elu", [draft.input(entry.inputs[0])], {"alpha": 1.0}, entry)


@handles("Selu")
def selu(draft, entry):
    value = draft.node("elu", [draft.input(entry.inputs[0])], {"alpha": 1.6732632423543772}, entry)
    return draft.node("mul_scalar", [value], {"scalar": 1.0507009873554805}, entry)


@handles("Softplus")
def softplus(draft, entry):
    return draft.node("softplus", [draft.input(entry.inputs[0])], {"beta": 1.0, "threshold": 20.0}, entry)


@handles("KerasGelu")
def gelu(draft, entry):
    kind = "tanh" if entry.attributes["approximate"] else "none"
    return draft.node("gelu", [draft.input(entry.inputs[0])], {"approximate": kind}, entry)


@handles("KerasSilu")
def silu(draft, entry):
    if entry.attributes["beta"] != 1:
        raise Refused("silu with a factor")
    return draft.node("silu", [draft.input(entry.inputs[0])], {}, entry)


@handles("Softmax", "LogSoftmax")
def softmax(draft, entry):
    rank = len(draft.shape(entry.inputs[0]))
    op = "softmax" if entry.name == "Softmax" else "log_softmax"
    return draft.node(op, [draft.input(entry.inputs[0])], {"axis": axis_of(rank - 1, rank)}, entry)


def axis_of(axis, rank):
    """Where an axis of TensorFlow's lies in what is kept."""
    axis = axis % rank
    return PLACE[axis] if rank == 4 else axis


# Convolutions


def same_padding(size, kernel, stride, dilation):
    """(before, after) as TensorFlow pads: what is odd goes behind."""
    reach = (kernel - 1) * dilation + 1
    total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def paddings(entry, sizes, kernels, strides, dilations):
    kind = entry.attributes["padding"]
    kind = kind.decode() if isinstance(kind, bytes) else kind
    if kind == "VALID":
        return [(0, 0), (0, 0)]
    if kind == "SAME":
        return [same_padding(*each) for each in zip(sizes, kernels, strides, dilations)]
    explicit = list(entry.attributes.get("explicit_paddings") or [])
    return [tuple(explicit[2:4]), tuple(explicit[4:6])]


def padded(draft, entry, x, pads, value=0.0):
    """(x, padding of both sides): uneven padding becomes a node of its own."""
    if all(before == after for before, after in pads):
        return x, [pads[0][0], pads[1][0]]
    n, h, w, c = draft.dimensions[x]
    (top, bottom), (left, right) = pads
    shape = (n, h + top + bottom, w + left + right, c)
    return draft.node("pad", [x], {"padding": [left, right, top, bottom], "value": value}, entry, shape=shape), [0, 0]


def plane(attribute):
    return [int(n) for n in list(attribute)[1:3]]


def require_channels_last(entry):
    form = entry.attributes.get("data_format", b"NHWC")
    if (form.decode() if isinstance(form, bytes) else form) != "NHWC":
        raise Refused("images with the channels first")


def kernel_of(draft, value, order=None):
    """The weight of a convolution: a variable, or whatever the program makes of variables."""
    handle = draft.handle(value)
    if handle is None:
        raise Refused("a convolution whose kernel is no weight of a layer")
    return draft.leaf(handle, order)


@handles("Conv2D")
def convolution(draft, entry):
    require_channels_last(entry)
    x, kernel = entry.inputs
    kh, kw, inner, _ = draft.shape(kernel)
    _, h, w, channels = draft.shape(x)
    strides, dilations = plane(entry.attributes["strides"]), plane(entry.attributes["dilations"])
    value, padding = padded(draft, entry, draft.input(x), paddings(entry, (h, w), (kh, kw), strides, dilations))
    attributes = {"stride": strides, "padding": padding, "dilation": dilations, "transposed": False, "output_padding": [0, 0],
                  "groups": channels // inner}
    return draft.node("convolution", [value, kernel_of(draft, kernel), None], attributes, entry)


@handles("DepthwiseConv2dNative")
def depthwise(draft, entry):
    """A convolution with a group a channel. A kernel H W C 1 is kept as C 1 H W."""
    require_channels_last(entry)
    x, kernel = entry.inputs
    kh, kw, channels, multiplier = draft.shape(kernel)
    if multiplier != 1:
        raise Refused("a depthwise convolution that makes several channels of one")
    _, h, w, _ = draft.shape(x)
    strides, dilations = plane(entry.attributes["strides"]), plane(entry.attributes["dilations"])
    value, padding = padded(draft, entry, draft.input(x), paddings(entry, (h, w), (kh, kw), strides, dilations))
    attributes = {"stride": strides, "padding": padding, "dilation": dilations, "transposed": False, "output_padding": [0, 0],
                  "groups": channels}
    return draft.node("convolution", [value, kernel_of(draft, kernel, (2, 3, 0, 1)), None], attributes, entry)


@handles("Conv2DBackpropInput")
def transposed(draft, entry):
    require_channels_last(entry)
    _, kernel, x = entry.inputs
    kh, kw, _, _ = draft.shape(kernel)
    strides, dilations = plane(entry.attributes["strides"]), plane(entry.attributes["dilations"])
    n, height, width, channels = draft.trace.tensors[entry.outputs[0]].shape
    pads = paddings(entry, (height, width), (kh, kw), strides, dilations)
    attributes = {"stride": strides, "padding": [0, 0], "dilation": dilations, "transposed": True, "output_padding": [0, 0],
                  "groups": 1}
    # The whole of what the transposed convolution makes, then the part that TensorFlow keeps.
    _, h, w, _ = draft.shape(x)
    whole = [(size - 1) * s + (k - 1) * d + 1 for size, s, k, d in zip((h, w), strides, (kh, kw), dilations)]
    value = draft.node("convolution", [draft.input(x), kernel_of(draft, kernel), None], attributes, entry,
                       shape=(n, whole[0], whole[1], channels))
    ends = [size - have - before for size, have, (before, _) in zip((height, width), whole, pads)]
    (top, _), (left, _) = pads
    if top == left == 0 and ends == [0, 0]:
        return value
    return draft.node("pad", [value], {"padding": [-left, ends[1], -top, ends[0]], "value": 0.0}, entry)


@handles("BiasAdd")
def bias_add(draft, entry):
    require_channels_last(entry)
    return add_bias(draft, entry, entry.inputs[0], entry.inputs[1]) or binary(draft, entry, "add")


def add_bias(draft, entry, x, bias):
    """Puts the bias into the convolution or product behind `x`, where nothing else reads its result; None where it cannot be."""
    vector = draft._vectors.get(bias) or (draft.handle(bias) if len(draft.shape(bias)) == 1 else None)
    if vector is None or x in draft.trace.named or draft.uses.get(x, 0) != 1 or draft.known(x) is not None:
        return None
    if draft.handle(x) is not None or draft._vectors.get(x) is not None:
        return None
    made = draft.input(x)
    maker = draft.maker(made)
    if maker is None or maker["op"] not in ("convolution", "linear") or maker["inputs"][2] is not None:
        return None
    if draft.shape(x)[-1] != draft.shape(bias)[-1]:
        return None
    maker["inputs"][2] = draft.leaf(vector)
    # A weight has to stand before the node that reads it: values are numbered by their making, which says nothing of the order.
    return made


@handles("MatMul")
def matmul(draft, entry):
    a, b = entry.inputs
    if entry.attributes.get("transpose_a"):
        raise Refused("a product of transposed matrices")
    if entry.attributes.get("transpose_b"):
        handle = draft.handle(b)
        if handle is None:
            raise Refused("a product of transposed matrices")
        return draft.node("linear", [draft.input(a), draft.leaf(handle), None], {}, entry)
    handle = draft.handle(b)
    if handle is not None and len(draft.shape(a)) == 2:
        return draft.node("linear", [draft.input(a), draft.leaf(handle, (1, 0)), None], {}, entry)
    return draft.node("matmul", [draft.input(a), draft.input(b)], {}, entry)


@handles("BatchMatMulV2")
def batch_matmul(draft, entry):
    if entry.attributes.get("adj_x") or entry.attributes.get("adj_y") or len(draft.shape(entry.inputs[0])) != 3:
        raise Refused("a product of batches of matrices, turned or of four axes")
    return draft.node("matmul", [draft.input(v) for v in entry.inputs], {}, entry)


# Normalization, dropout, resizing, pooling


def require_last(entry, rank):
    axis = entry.attributes["axis"]
    axis = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
    if not isinstance(axis, int) or axis % rank != rank - 1:
        raise Refused("a normalization along another axis than that of the channels")


@handles("KerasBatchNormalization")
def batch_norm(draft, entry):
    a, x = entry.attributes, entry.inputs[0]
    require_last(entry, len(draft.shape(x)))
    weights = [None if v is None else draft.leaf(v) for v in entry.inputs[1:]]
    attributes = {"training": a["training"], "momentum": 1 - a["momentum"], "eps": a["epsilon"], "running_variance": "biased"}
    return draft.node("batch_norm", [draft.input(x), *weights], attributes, entry)


@handles("KerasGroupNormalization")
def group_norm(draft, entry):
    x, channels = entry.inputs[0], draft.shape(entry.inputs[0])[-1]
    require_last(entry, len(draft.shape(x)))
    groups = entry.attributes["groups"]
    weights = [None if v is None else draft.leaf(v) for v in entry.inputs[1:]]
    attributes = {"groups": channels if groups == -1 else groups, "eps": entry.attributes["epsilon"]}
    return draft.node("group_norm", [draft.input(x), *weights], attributes, entry)


@handles("KerasLayerNormalization")
def layer_norm(draft, entry):
    x = entry.inputs[0]
    shape = draft.shape(x)
    require_last(entry, len(shape))
    if entry.attributes["rms"]:
        raise Refused("a layer normalization without a mean")
    weights = [None if v is None else draft.leaf(v) for v in entry.inputs[1:]]
    attributes = {"normalized_shape": [shape[-1]], "eps": entry.attributes["epsilon"]}
    if len(shape) != 4:
        return draft.node("layer_norm", [draft.input(x), *weights], attributes, entry)
    turned = draft.node("permute", [draft.input(x)], {"axes": [0, 2, 3, 1]}, entry, plain=True)
    normal = draft.node("layer_norm", [turned, *weights], attributes, entry, plain=True)
    return draft.node("permute", [normal], {"axes": list(ORDER)}, entry)


@handles("KerasDropout")
def dropout(draft, entry):
    x, keep = entry.inputs[0], 1 - entry.attributes["rate"]
    shape = tuple(entry.attributes["shape"] or draft.shape(x))
    stored = [shape[i] for i in ORDER] if len(shape) == 4 else list(shape)
    kept = draft.node("bernoulli", [], {"shape": stored, "p": keep, "role": "dropout"}, entry, shape=shape)
    scaled = draft.node("div_scalar", [kept], {"scalar": keep}, entry, shape=shape)
    return draft.node("mul", [draft.input(x), scaled], {}, entry)


@handles("KerasUpSampling")
def up_sampling(draft, entry):
    if entry.attributes["data_format"] != "channels_last":
        raise Refused("images with the channels first")
    return resized(draft, entry, entry.attributes["interpolation"])


@handles("ResizeBilinear", "ResizeNearestNeighbor")
def resize(draft, entry):
    a = entry.attributes
    kind = "bilinear" if entry.name == "ResizeBilinear" else "nearest"
    if kind == "bilinear" and a.get("align_corners"):
        return resized(draft, entry, kind, aligned=True)
    if not a.get("half_pixel_centers"):
        raise Refused(f"resizing ({kind}) that puts pixels at their corners")
    return resized(draft, entry, kind)


def resized(draft, entry, kind, aligned=False):
    x = draft.input(entry.inputs[0])
    _, h, w, _ = draft.shape(entry.inputs[0])
    _, height, width, _ = draft.trace.tensors[entry.outputs[0]].shape
    size = {"output_size": [int(height), int(width)]}
    if kind == "bilinear":
        return draft.node("upsample_bilinear2d", [x], {**size, "align_corners": aligned, "scale": [None, None]}, entry)
    if kind != "nearest":
        raise Refused(f"resizing by {kind}")
    exact = height % h or width % w
    return draft.node("upsample_nearest_exact2d" if exact else "upsample_nearest2d", [x], {**size, "scale": [None, None]}, entry)


@handles("MaxPool", "AvgPool")
def pool(draft, entry):
    require_channels_last(entry)
    _, h, w, _ = draft.shape(entry.inputs[0])
    kernel, strides = plane(entry.attributes["ksize"]), plane(entry.attributes["strides"])
    pads = paddings(entry, (h, w), kernel, strides, (1, 1))
    attributes = {"kernel": kernel, "stride": strides, "padding": [0, 0], "ceil_mode": False}
    x = draft.input(entry.inputs[0])
    if entry.name == "MaxPool":
        x, padding = padded(draft, entry, x, pads, "-inf")
        return draft.node("max_pool2d", [x], {**attributes, "padding": padding, "dilation": [1, 1]}, entry)
    if any(before != after for before, after in pads):
        raise Refused("average pooling with uneven padding")
    return draft.node("avg_pool2d", [x], {**attributes, "padding": [p[0] for p in pads], "count_include_pad": False}, entry)


# Shapes


@handles("ConcatV2")
def concatenate(draft, entry):
    rank = len(draft.shape(entry.inputs[0]))
    axis = axis_of(int(known(draft, entry, -1)), rank)
    return draft.node("concatenate", [draft.input(v) for v in entry.inputs[:-1]], {"axis": axis}, entry)


def known(draft, entry, index):
    array = draft.known(entry.inputs[index])
    if array is None:
        raise Refused(f"{entry.name} by what the step computes")
    return array


@handles("Reshape", "Squeeze", "ExpandDims")
def reshape(draft, entry):
    value = entry.inputs[0]
    shape = tuple(draft.trace.tensors[entry.outputs[0]].shape)
    vector = draft._vectors.get(value) or (draft.handle(value) if len(draft.shape(value)) == 1 else None)
    if vector is not None and shape and shape[-1] == math.prod(shape):
        draft._vectors[entry.outputs[0]] = vector
    return reshaped(draft, entry, draft.input(value), shape)


def reshaped(draft, entry, x, shape):
    """x with TensorFlow's order of elements in another shape."""
    before = draft.dimensions[x]
    if tuple(before) == tuple(shape):
        return x
    if len(before) == 4 and before[3] != 1 and before[1] * before[2] != 1:
        x = draft.node("permute", [x], {"axes": [0, 2, 3, 1]}, entry, shape=before, plain=True)
    direct = len(shape) != 4 or shape[3] == 1 or shape[1] * shape[2] == 1
    stored = [shape[i] for i in ORDER] if len(shape) == 4 and direct else list(shape)
    made = draft.node("reshape", [x], {"shape": [int(n) for n in stored]}, entry, shape=shape, plain=not direct)
    if direct:
        return made
    return draft.node("permute", [made], {"axes": list(ORDER)}, entry, shape=shape)


@handles("Transpose")
def transpose(draft, entry):
    axes = [int(a) for a in known(draft, entry, 1)]
    x = draft.input(entry.inputs[0])
    if len(axes) != 4:
        return draft.node("permute", [x], {"axes": axes}, entry)
    # Kept axis i of the result is TensorFlow's axis ORDER[i] of it, which is its axis axes[ORDER[i]] of x.
    return draft.node("permute", [x], {"axes": [PLACE[axes[i]] for i in ORDER]}, entry)


@handles("Pad", "PadV2")
def pad(draft, entry):
    pairs = known(draft, entry, 1).tolist()
    value = float(known(draft, entry, 2)) if entry.name == "PadV2" else 0.0
    kept = [pairs[i] for i in ORDER] if len(pairs) == 4 else pairs
    flat = [n for pair in reversed(kept) for n in pair]
    while len(flat) > 2 and flat[-2:] == [0, 0]:
        flat = flat[:-2]
    return draft.node("pad", [draft.input(entry.inputs[0])], {"padding": flat, "value": value}, entry)


@handles("StridedSlice")
def strided_slice(draft, entry):
    a, value = entry.attributes, entry.inputs[0]
    before, after = draft.shape(value), tuple(draft.trace.tensors[entry.outputs[0]].shape)
    x = draft.input(value)
    if math.prod(before) == math.prod(after):
        return reshaped(draft, entry, x, after)
    if a.get("new_axis_mask"):
        raise Refused("indexing with new axes")
    begin, end, step = (known(draft, entry, i).tolist() for i in (1, 2, 3))
    shape, axis = list(before), 0
    for place in range(len(begin)):
        if a["ellipsis_mask"] >> place & 1:
            axis += len(before) - len(begin) + 1
            continue
        one = a["shrink_axis_mask"] >> place & 1
        start = None if a["begin_mask"] >> place & 1 else begin[place]
        stop = start + 1 if one and start != -1 else None if one or a["end_mask"] >> place & 1 else end[place]
        start, stop, by = slice(start, stop, step[place]).indices(shape[axis])
        if by < 1:
            raise Refused("indexing backwards")
        size = len(range(start, stop, by))
        if size != shape[axis]:
            shape[axis] = size
            x = draft.node("slice", [x], {"axis": axis_of(axis, len(before)), "start": start, "end": stop, "step": by}, entry,
                           shape=tuple(shape))
        axis += 1
    return reshaped(draft, entry, x, after)


@handles("Pack")
def pack(draft, entry):
    shape = tuple(draft.trace.tensors[entry.outputs[0]].shape)
    axis = int(entry.attributes["axis"]) % len(shape)
    if len(shape) > 3:
        raise Refused("stacking to four axes")
    one = shape[:axis] + (1,) + shape[axis + 1:]
    parts = [reshaped(draft, entry, draft.input(v), one) for v in entry.inputs]
    return draft.node("concatenate", parts, {"axis": axis}, entry)


@handles("BroadcastTo")
def broadcast(draft, entry):
    shape = [int(n) for n in draft.trace.tensors[entry.outputs[0]].shape]
    x = aligned(draft, entry, draft.input(entry.inputs[0]), len(shape))
    stored = [shape[i] for i in ORDER] if len(shape) == 4 else shape
    return draft.node("expand", [x], {"shape": stored}, entry)


def aligned(draft, entry, x, rank):
    """x with ones before its axes, as broadcasting puts them, where the other side has four axes."""
    shape = draft.dimensions[x]
    if rank != 4 or len(shape) in (0, 4):
        return x
    return reshaped(draft, entry, x, (1,) * (4 - len(shape)) + tuple(shape))


# Arithmetic


BINARY = {"Add": "add", "AddV2": "add", "Sub": "sub", "Mul": "mul", "RealDiv": "div", "Div": "div", "DivNoNan": "div",
          "MulNoNan": "mul", "Maximum": "maximum", "Minimum": "minimum", "Pow": "pow", "Greater": "gt", "GreaterEqual": "ge",
          "Less": "lt", "LessEqual": "le", "Equal": "eq", "NotEqual": "ne", "LogicalAnd": "logical_and", "LogicalOr": "logical_or"}
TURNED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge", "eq": "eq", "ne": "ne"}


for _name, _op in BINARY.items():
    HANDLERS[_name] = lambda draft, entry, op=_op: binary(draft, entry, op)


def binary(draft, entry, op):
    a, b = entry.inputs
    if op == "add":
        for x, bias in ((a, b), (b, a)):
            made = add_bias(draft, entry, x, bias)
            if made is not None:
                return made
    shape = tuple(draft.trace.tensors[entry.outputs[0]].shape)
    left, right = draft.number(a), draft.number(b)
    if right is not None and draft.shape(a) == shape:
        return by_number(draft, entry, op, draft.input(a), right, False)
    if left is not None and draft.shape(b) == shape:
        return by_number(draft, entry, op, draft.input(b), left, True)
    inputs = [aligned(draft, entry, draft.input(v), len(shape)) for v in (a, b)]
    return draft.node(op, inputs, {}, entry)


def by_number(draft, entry, op, x, number, is_left):
    """An operation with a number on one side."""

    def node(name, scalar):
        return draft.node(name + "_scalar", [x], {"scalar": scalar}, entry)

    if op in TURNED:
        return node(TURNED[op] if is_left else op, number)
    if op in ("add", "mul"):
        neutral = 0 if op == "add" else 1
        return x if number == neutral else node(op, number)
    if op == "sub":
        return node("rsub", number) if is_left else x if number == 0 else node("add", -number)
    if op == "div":
        return node("rdiv", number) if is_left else x if number == 1 else node("div", number)
    if op == "pow" and not is_left:
        return node("pow", number)
    if op == "maximum":
        return draft.node("clamp", [x], {"min": number}, entry)
    if op == "minimum":
        return draft.node("clamp", [x], {"max": number}, entry)
    if op in ("logical_and", "logical_or"):
        return x if bool(number) == (op == "logical_and") else draft.constant(
            numpy.full(draft.shape(entry.outputs[0]), op == "logical_or"))
    raise Refused(f"{entry.name} of a number")


@handles("SquaredDifference")
def squared_difference(draft, entry):
    return draft.node("square", [binary(draft, entry, "sub")], {}, entry)


@handles("ClipByValue")
def clip(draft, entry):
    low, high = draft.number(entry.inputs[1]), draft.number(entry.inputs[2])
    if low is None or high is None:
        raise Refused("clipping between what the step computes")
    return draft.node("clamp", [draft.input(entry.inputs[0])], {"min": low, "max": high}, entry)


@handles("AddN")
def add_n(draft, entry):
    total = draft.input(entry.inputs[0])
    for value in entry.inputs[1:]:
        total = draft.node("add", [total, draft.input(value)], {}, entry)
    return total


@handles("Select", "SelectV2")
def where(draft, entry):
    shape = tuple(draft.trace.tensors[entry.outputs[0]].shape)
    inputs = []
    for value in entry.inputs:
        number = draft.number(value)
        if number is not None and draft.shape(value) in (shape, ()):
            stored = [shape[i] for i in ORDER] if len(shape) == 4 else list(shape)
            inputs.append(draft.node("full", [], {"shape": [int(n) for n in stored], "value": float(number)}, entry))
        else:
            inputs.append(aligned(draft, entry, draft.input(value), len(shape)))
    return draft.node("where", inputs, {}, entry)


FLOATS = ("float32", "float64")


@handles("Cast")
def cast(draft, entry):
    before = draft.trace.tensors[entry.inputs[0]].dtype.name
    after = draft.trace.tensors[entry.outputs[0]].dtype.name
    for name in (before, after):
        if name in ("float16", "bfloat16"):
            raise Refused(f"mixed precision: values of type {name}")
    x = draft.input(entry.inputs[0])
    if before == after or (before in FLOATS and after in FLOATS):
        return x
    return draft.node("cast", [x], {"dtype": "int64" if after.startswith(("int", "uint")) else after}, entry)


REDUCTIONS = {"Sum": "sum", "Mean": "mean", "Max": "amax", "Min": "amin", "EuclideanNorm": None}


@handles(*REDUCTIONS)
def reduction(draft, entry):
    op = REDUCTIONS[entry.name]
    if op is None:
        raise Refused("a norm")
    before = draft.shape(entry.inputs[0])
    rank, keeps = len(before), bool(entry.attributes.get("keep_dims"))
    axes = sorted({int(a) % max(rank, 1) for a in numpy.atleast_1d(known(draft, entry, 1))})
    x = draft.input(entry.inputs[0])
    if not axes or rank == 0:
        return x
    attributes = {"axes": [] if len(axes) == rank else sorted(axis_of(a, rank) for a in axes), "keepdim": keeps}
    after = tuple(draft.trace.tensors[entry.outputs[0]].shape)
    if x in draft.kernels and len(axes) != 4:
        raise Refused(f"a {op} along some axes of the weight of a convolution")
    if rank != 4 or keeps or len(axes) == 4:
        return draft.node(op, [x], attributes, entry)
    left = [a for a in ORDER if a not in axes]
    made = draft.node(op, [x], attributes, entry, shape=tuple(before[a] for a in left), plain=True)
    if left == sorted(left) or sum(n > 1 for n in after) < 2:
        return made if left == sorted(left) else draft.node("reshape", [made], {"shape": [int(n) for n in after]}, entry)
    return draft.node("permute", [made], {"axes": [left.index(a) for a in sorted(left)]}, entry)


@handles("KerasCrossEntropyWithLogits")
def cross_entropy_with_logits(draft, entry):
    logits, labels = entry.inputs
    shape = tuple(draft.trace.tensors[entry.outputs[0]].shape)
    inputs = [aligned(draft, entry, draft.input(v), len(shape)) for v in (logits, labels)]
    return draft.node("binary_cross_entropy_with_logits", inputs, {"reduction": "none"}, entry)
