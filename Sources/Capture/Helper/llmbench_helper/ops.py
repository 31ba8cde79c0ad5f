"""From ATen operations to the operations of the graph format.

Each handler receives the draft and one recorded entry, adds nodes, and returns the value ids of the entry's outputs (None
for outputs that nothing may read). What no handler knows is refused by name.
"""

import math

import torch

from .recorder import Ref
from .refusal import Refused


HANDLERS = {}


def handles(*names):
    def register(function):
        for name in names:
            HANDLERS["aten." + name] = function
        return function

    return register


def argument(entry, index, name, default=None):
    if index is not None and index < len(entry.args):
        return entry.args[index]
    return entry.kwargs.get(name, default)


def pair(value, fallback=None):
    value = list(value) if isinstance(value, (list, tuple)) else [value]
    if not value:
        return list(fallback)
    return value * 2 if len(value) == 1 else value


def is_number(value):
    return isinstance(value, (int, float, bool))


UNARY = {
    "relu": "relu", "relu_": "relu", "sigmoid": "sigmoid", "sigmoid_": "sigmoid", "tanh": "tanh", "tanh_": "tanh",
    "silu": "silu", "silu_": "silu", "mish": "mish", "mish_": "mish", "hardswish": "hardswish",
    "hardswish_": "hardswish", "hardsigmoid": "hardsigmoid", "hardsigmoid_": "hardsigmoid", "neg": "neg", "neg_": "neg",
    "abs": "abs", "abs_": "abs", "exp": "exp", "exp_": "exp", "log": "log", "log_": "log", "log1p": "log1p",
    "sqrt": "sqrt", "sqrt_": "sqrt", "rsqrt": "rsqrt", "square": "square", "reciprocal": "reciprocal", "sgn": "sign",
    "sign": "sign", "floor": "floor", "floor_": "floor", "round": "round", "round_": "round",
    "logical_not": "logical_not", "bitwise_not": "logical_not", "clone": "identity", "detach": "detach", "alias": "identity",
    "lift_fresh": "identity", "contiguous": "identity", "lift_fresh_copy": "identity", "detach_": "detach",
    "_conj": "identity", "positive": "identity",
}


def _unary(op):
    def handler(draft, entry):
        return [draft.node(op, [draft.input(entry.args[0])], {}, entry)]

    return handler


for _name, _op in UNARY.items():
    HANDLERS[f"aten.{_name}.default"] = _unary(_op)


@handles("convolution.default", "_convolution.default")
def convolution(draft, entry):
    x, weight, bias, stride, padding, dilation, transposed, output_padding, groups = entry.args[:9]
    axes = len(entry_shape(draft, weight)) - 2
    attributes = {
        "stride": sizes(stride, axes), "padding": sizes(padding, axes), "dilation": sizes(dilation, axes),
        "transposed": transposed, "output_padding": sizes(output_padding, axes), "groups": groups,
    }
    return [draft.node("convolution", draft.inputs(x, weight, bias), attributes, entry)]


def entry_shape(draft, ref):
    return draft.trace.shapes[ref.value]


@handles("native_batch_norm.default", "_native_batch_norm_legit.default", "cudnn_batch_norm.default",
         "_native_batch_norm_legit.no_stats", "_native_batch_norm_legit_no_training.default",
         "_batch_norm_with_update.default", "_batch_norm_no_update.default", "batch_norm.default")
def batch_norm(draft, entry):
    name = entry.name
    if "no_stats" in name:
        x, weight, bias, training, momentum, eps = entry.args[:6]
        mean = variance = None
    elif "no_training" in name:
        x, weight, bias, mean, variance, momentum, eps = entry.args[:7]
        training = False
    elif "with_update" in name or "no_update" in name:
        x, weight, bias, mean, variance, momentum, eps = entry.args[:7]
        training = "with_update" in name
    else:
        x, weight, bias, mean, variance, training, momentum, eps = entry.args[:8]
    if training:
        instance = instance_norm(draft, entry, x, weight, bias, mean, variance, momentum, eps)
        if instance is not None:
            return [instance, None, None]
    attributes = {"training": bool(training), "momentum": momentum, "eps": eps}
    output = draft.node("batch_norm", draft.inputs(x, weight, bias, mean, variance), attributes, entry)
    return [output] + [None] * (len(entry.outputs) - 1)


def instance_norm(draft, entry, x, weight, bias, mean, variance, momentum, eps):
    """Instance norm reaches ATen as a batch norm over an image of N·C channels; without running statistics it is a group norm
    with C groups."""
    shape = entry_shape(draft, x)
    source = draft.producer(x)
    if shape[0] != 1 or source is None or source["op"] != "reshape":
        return None
    original = source["inputs"][0]
    n, c = draft.shape(original)[:2]
    if n * c != shape[1] or len(draft.shape(original)) < 3:
        return None

    def unrepeated(ref):
        if ref is None:
            return None
        producer = draft.producer(ref)
        # Batch times the weight of C elements.
        while producer is not None and producer["op"] in ("repeat", "expand", "reshape"):
            value = producer["inputs"][0]
            if draft.shape(value) == (c,):
                return value
            producer = draft.producer_of(value)
        raise Refused("an instance norm whose weight is no parameter of C elements")

    inputs = [original, unrepeated(weight), unrepeated(bias)]
    if mean is not None or variance is not None:
        attributes = {"use_input_stats": True, "momentum": momentum, "eps": eps}
        normal = draft.node("instance_norm", inputs + [unrepeated(mean), unrepeated(variance)], attributes, entry,
                            shape=draft.shape(original))
        return draft.node("reshape", [normal], {"shape": list(shape)}, entry, shape=shape)
    normal = draft.node("group_norm", inputs, {"groups": c, "eps": eps}, entry, shape=draft.shape(original))
    return draft.node("reshape", [normal], {"shape": list(shape)}, entry, shape=shape)


@handles("native_group_norm.default")
def group_norm(draft, entry):
    x, weight, bias, _, _, _, groups, eps = entry.args[:8]
    return [draft.node("group_norm", draft.inputs(x, weight, bias), {"groups": groups, "eps": eps}, entry), None, None]


@handles("native_layer_norm.default")
def layer_norm(draft, entry):
    x, shape, weight, bias, eps = entry.args[:5]
    attributes = {"normalized_shape": list(shape), "eps": eps}
    return [draft.node("layer_norm", draft.inputs(x, weight, bias), attributes, entry), None, None]


@handles("leaky_relu.default", "leaky_relu_.default")
def leaky_relu(draft, entry):
    return [draft.node("leaky_relu", draft.inputs(entry.args[0]),
                       {"negative_slope": argument(entry, 1, "negative_slope", 0.01)}, entry)]


@handles("elu.default", "elu_.default")
def elu(draft, entry):
    if argument(entry, 3, "input_scale", 1) != 1:
        raise Refused("elu with a scale of its input")
    value = draft.node("elu", draft.inputs(entry.args[0]), {"alpha": argument(entry, 1, "alpha", 1.0)}, entry)
    # selu is elu times a number.
    scale = argument(entry, 2, "scale", 1)
    return [value if scale == 1 else draft.node("mul_scalar", [value], {"scalar": scale}, entry)]


@handles("celu.default", "celu_.default")
def celu(draft, entry):
    alpha = argument(entry, 1, "alpha", 1.0)
    inner = draft.node("mul_scalar", draft.inputs(entry.args[0]), {"scalar": 1 / alpha}, entry)
    return [draft.node("mul_scalar", [draft.node("elu", [inner], {"alpha": 1.0}, entry)], {"scalar": alpha}, entry)]


@handles("glu.default")
def glu(draft, entry):
    axis, shape = argument(entry, 1, "dim", -1), draft.output_shape(entry)
    size = shape[axis]
    value = slice_node(draft, entry, entry.args[0], axis, 0, size, 1, shape)
    gate = slice_node(draft, entry, entry.args[0], axis, size, 2 * size, 1, shape)
    return [draft.node("mul", [value, draft.node("sigmoid", [gate], {}, entry)], {}, entry)]


@handles("gelu.default", "gelu_.default")
def gelu(draft, entry):
    return [draft.node("gelu", draft.inputs(entry.args[0]),
                       {"approximate": argument(entry, 1, "approximate", "none")}, entry)]


@handles("softplus.default")
def softplus(draft, entry):
    attributes = {"beta": argument(entry, 1, "beta", 1.0), "threshold": argument(entry, 2, "threshold", 20.0)}
    return [draft.node("softplus", draft.inputs(entry.args[0]), attributes, entry)]


@handles("hardtanh.default", "hardtanh_.default", "relu6.default", "relu6_.default")
def hardtanh(draft, entry):
    six = "relu6" in entry.name
    low, high = (0.0, 6.0) if six else (argument(entry, 1, "min_val", -1.0), argument(entry, 2, "max_val", 1.0))
    return [draft.node("hardtanh", draft.inputs(entry.args[0]), {"min": low, "max": high}, entry)]


@handles("_prelu_kernel.default", "prelu.default")
def prelu(draft, entry):
    x, weight = entry.args[:2]
    value = draft.input(weight)
    count = math.prod(draft.shape(value))
    flat = draft.node("reshape", [value], {"shape": [count]}, entry, shape=(count,))
    return [draft.node("prelu", [draft.input(x), flat], {}, entry)]


@handles("log_sigmoid_forward.default")
def log_sigmoid(draft, entry):
    return [draft.node("log_sigmoid", draft.inputs(entry.args[0]), {}, entry), None]


@handles("_softmax.default", "_log_softmax.default")
def softmax(draft, entry):
    op = "softmax" if entry.name.startswith("aten._softmax") else "log_softmax"
    return [draft.node(op, draft.inputs(entry.args[0]), {"axis": entry.args[1]}, entry)]


def sizes(value, axes, fallback=None):
    """One size an axis, where PyTorch also takes a single one for all, or none for a default."""
    value = list(value) if isinstance(value, (list, tuple)) else [value]
    if not value:
        return list(fallback)
    return value * axes if len(value) == 1 else value


@handles("max_pool2d_with_indices.default", "max_pool2d.default", "max_pool3d_with_indices.default", "max_pool3d.default")
def max_pool(draft, entry):
    axes = 3 if "pool3d" in entry.name else 2
    kernel = sizes(entry.args[1], axes)
    attributes = {
        "kernel": kernel, "stride": sizes(argument(entry, 2, "stride", []), axes, kernel),
        "padding": sizes(argument(entry, 3, "padding", 0), axes), "dilation": sizes(argument(entry, 4, "dilation", 1), axes),
        "ceil_mode": argument(entry, 5, "ceil_mode", False),
    }
    return [draft.node(f"max_pool{axes}d", draft.inputs(entry.args[0]), attributes, entry), None][: len(entry.outputs)]


@handles("avg_pool2d.default", "avg_pool3d.default")
def avg_pool(draft, entry):
    axes = 3 if "pool3d" in entry.name else 2
    kernel = sizes(entry.args[1], axes)
    attributes = {
        "kernel": kernel, "stride": sizes(argument(entry, 2, "stride", []), axes, kernel),
        "padding": sizes(argument(entry, 3, "padding", 0), axes), "ceil_mode": argument(entry, 4, "ceil_mode", False),
        "count_include_pad": argument(entry, 5, "count_include_pad", True),
    }
    if argument(entry, 6, "divisor_override") is not None:
        attributes["divisor_override"] = argument(entry, 6, "divisor_override")
    return [draft.node(f"avg_pool{axes}d", draft.inputs(entry.args[0]), attributes, entry)]


@handles("_adaptive_avg_pool2d.default", "adaptive_avg_pool2d.default", "_adaptive_avg_pool3d.default",
         "adaptive_avg_pool3d.default", "adaptive_max_pool2d.default", "adaptive_max_pool3d.default")
def adaptive_pool(draft, entry):
    axes = 3 if "pool3d" in entry.name else 2
    op = f"adaptive_{'max' if 'max' in entry.name else 'avg'}_pool{axes}d"
    output = draft.node(op, draft.inputs(entry.args[0]), {"output_size": sizes(entry.args[1], axes)}, entry)
    return [output, None][: len(entry.outputs)]


# Operation of the format by name in ATen, and the number of spatial axes.
UPSAMPLING = {f"{under}upsample_nearest{exact}{n}d": (f"upsample_nearest{exact}{n}d", n)
              for under, exact in (("", ""), ("_", "_exact")) for n in (1, 2, 3)}
UPSAMPLING |= {name: (name, n) for name, n in (("upsample_linear1d", 1), ("upsample_bilinear2d", 2),
                                               ("upsample_bicubic2d", 2), ("upsample_trilinear3d", 3))}


@handles(*(f"{name}.{overload}" for name in UPSAMPLING for overload in ("default", "vec")))
def upsample(draft, entry):
    op, axes = UPSAMPLING[entry.name.split(".")[1]]
    attributes, next_argument = {"output_size": list(draft.output_shape(entry)[2:])}, 2
    if "nearest" not in op:
        attributes["align_corners"], next_argument = bool(entry.args[2]), 3
    attributes["scale"] = scales(entry, next_argument, axes)
    return [draft.node(op, draft.inputs(entry.args[0]), attributes, entry)]


def scales(entry, index, axes):
    """The scales that the source gave, an axis each, or None."""
    if entry.name.endswith(".vec"):
        found = argument(entry, index, "scale_factors")
    else:
        names = {1: ["scales"], 2: ["scales_h", "scales_w"], 3: ["scales_d", "scales_h", "scales_w"]}[axes]
        found = [argument(entry, index + i, name) for i, name in enumerate(names)]
    return [float(f) for f in found] if found and None not in found else None


@handles("cat.default", "concat.default")
def concatenate(draft, entry):
    parts = [p for p in entry.args[0] if entry_shape(draft, p) != (0,)]
    return [draft.node("concatenate", draft.inputs(*parts), {"axis": argument(entry, 1, "dim", 0)}, entry)]


@handles("stack.default")
def stack(draft, entry):
    axis = argument(entry, 1, "dim", 0)
    shape = list(draft.output_shape(entry))
    axis = axis % len(shape)
    shape[axis] = 1
    parts = [draft.node("reshape", [draft.input(p)], {"shape": list(shape)}, entry, shape=tuple(shape))
             for p in entry.args[0]]
    return [draft.node("concatenate", parts, {"axis": axis}, entry)]


@handles("constant_pad_nd.default")
def pad(draft, entry):
    attributes = {"padding": list(entry.args[1]), "value": argument(entry, 2, "value", 0)}
    return [draft.node("pad", draft.inputs(entry.args[0]), attributes, entry)]


@handles(*(f"{kind}_pad{n}d.default" for kind in ("reflection", "replication") for n in (1, 2, 3)))
def border_pad(draft, entry):
    mode = "reflect" if "reflection" in entry.name else "replicate"
    return [draft.node("pad", draft.inputs(entry.args[0]), {"padding": list(entry.args[1]), "mode": mode}, entry)]


@handles("slice.Tensor")
def slice_axis(draft, entry):
    axis, start = argument(entry, 1, "dim", 0), argument(entry, 2, "start")
    end, step = argument(entry, 3, "end"), argument(entry, 4, "step", 1)
    return [slice_node(draft, entry, entry.args[0], axis, start, end, step, None)]


def slice_node(draft, entry, x, axis, start, end, step, shape):
    size = entry_shape(draft, x)[axis]
    start, end, step = slice(start, end, step).indices(size)
    attributes = {"axis": axis, "start": start, "end": max(start, end), "step": step}
    return draft.node("slice", draft.inputs(x), attributes, entry, shape=shape)


@handles("split.Tensor", "split_with_sizes.default", "unsafe_split.Tensor", "chunk.default")
def split(draft, entry):
    axis, start, outputs = argument(entry, 2, "dim", 0), 0, []
    for output in entry.outputs:
        shape = draft.trace.shapes[output]
        outputs.append(slice_node(draft, entry, entry.args[0], axis, start, start + shape[axis], 1, shape))
        start += shape[axis]
    return outputs


@handles("unbind.int")
def unbind(draft, entry):
    axis = argument(entry, 1, "dim", 0)
    return [draft.node("select", draft.inputs(entry.args[0]), {"axis": axis, "index": i}, entry,
                       shape=draft.trace.shapes[o]) for i, o in enumerate(entry.outputs)]


@handles("select.int")
def select(draft, entry):
    return [draft.node("select", draft.inputs(entry.args[0]), {"axis": entry.args[1], "index": entry.args[2]}, entry)]


@handles("view.default", "_unsafe_view.default", "reshape.default", "unsqueeze.default", "squeeze.default", "squeeze.dim",
         "squeeze.dims", "_reshape_alias.default", "flatten.using_ints", "squeeze_.dim", "unsqueeze_.default")
def reshape(draft, entry):
    return [draft.node("reshape", draft.inputs(entry.args[0]), {"shape": list(draft.output_shape(entry))}, entry)]


@handles("permute.default")
def permute(draft, entry):
    rank = len(entry_shape(draft, entry.args[0]))
    return [draft.node("permute", draft.inputs(entry.args[0]), {"axes": [a % rank for a in entry.args[1]]}, entry)]


@handles("t.default", "transpose.int", "numpy_T.default")
def transpose(draft, entry):
    axes = list(range(len(entry_shape(draft, entry.args[0]))))
    if entry.name.startswith("aten.transpose"):
        a, b = entry.args[1], entry.args[2]
        axes[a], axes[b] = axes[b], axes[a]
    else:
        axes.reverse()
    return [draft.node("permute", draft.inputs(entry.args[0]), {"axes": axes}, entry)]


@handles("expand.default", "expand_as.default")
def expand(draft, entry):
    return [draft.node("expand", draft.inputs(entry.args[0]), {"shape": list(draft.output_shape(entry))}, entry)]


@handles("repeat.default")
def repeat(draft, entry):
    return [draft.node("repeat", draft.inputs(entry.args[0]), {"repeats": list(entry.args[1])}, entry)]


FLOATS = (torch.float32, torch.float64)
DTYPES = {torch.float32: "float32", torch.float64: "float64", torch.int64: "int64", torch.bool: "bool",
          torch.int32: "int64", torch.uint8: "int64", torch.int16: "int64", torch.int8: "int64"}


@handles("_to_copy.default", "to.dtype", "to.device", "_to_copy.out")
def to_copy(draft, entry):
    return [cast(draft, entry, draft.input(entry.args[0]))]


def cast(draft, entry, value, shape=None):
    before, after = draft.dtype(value), draft.trace.dtypes[entry.outputs[0]]
    for dtype in (before, after):
        if dtype not in DTYPES:
            raise Refused(f"values of type {str(dtype).replace('torch.', '')}")
    if before == after or (before in FLOATS and after in FLOATS):
        return draft.node("identity", [value], {}, entry, shape=shape)
    return draft.node("cast", [value], {"dtype": DTYPES[after]}, entry, shape=shape)


@handles("copy_.default", "copy.default")
def copy(draft, entry):
    value = cast(draft, entry, draft.input(entry.args[1]), shape=entry_shape(draft, entry.args[1]))
    return [draft.node("expand", [value], {"shape": list(draft.output_shape(entry))}, entry)]


@handles("zeros.default", "zeros_like.default", "new_zeros.default", "zero_.default", "zero.default")
def zeros(draft, entry):
    return full_node(draft, entry, 0.0)


@handles("ones.default", "ones_like.default", "new_ones.default")
def ones(draft, entry):
    return full_node(draft, entry, 1.0)


@handles("full.default", "full_like.default", "new_full.default", "fill_.Scalar")
def full(draft, entry):
    index = 1 if entry.name.split(".")[1] in ("full", "full_like", "fill_") else 2
    return full_node(draft, entry, argument(entry, index, "fill_value"))


@handles("scalar_tensor.default")
def scalar_tensor(draft, entry):
    return full_node(draft, entry, entry.args[0])


def full_node(draft, entry, number):
    return [draft.node("full", [], {"shape": list(draft.output_shape(entry)), "value": number}, entry)]


@handles("bernoulli_.float", "bernoulli.p", "bernoulli.default")
def bernoulli(draft, entry):
    if entry.name == "aten.bernoulli.default":
        raise Refused("a random draw whose probabilities are a tensor")
    p = argument(entry, 1, "p", 0.5)
    value = draft.node("bernoulli", [], {"shape": list(draft.output_shape(entry)), "p": p, "role": "dropout"}, entry)
    draft.draws[value] = draft.trace.draws.get(entry.outputs[0])
    return [value]


@handles("native_dropout.default")
def native_dropout(draft, entry):
    x, p, training = entry.args[:3]
    if not training:
        return [draft.node("identity", draft.inputs(x), {}, entry), None]
    shape = draft.output_shape(entry)
    kept = draft.node("bernoulli", [], {"shape": list(shape), "p": 1 - p, "role": "dropout"}, entry, shape=shape)
    draft.draws[kept] = None
    scaled = draft.node("div_scalar", [kept], {"scalar": 1 - p}, entry, shape=shape)
    return [draft.node("mul", [draft.input(x), scaled], {}, entry), None]


BINARY = {"add": "add", "sub": "sub", "mul": "mul", "div": "div", "minimum": "minimum", "maximum": "maximum",
          "gt": "gt", "ge": "ge", "lt": "lt", "le": "le", "eq": "eq", "ne": "ne", "pow": "pow",
          "logical_and": "logical_and", "logical_or": "logical_or", "bitwise_and": "logical_and",
          "bitwise_or": "logical_or"}
COMPARISONS = ("gt", "ge", "lt", "le", "eq", "ne")


def _binary(op):
    def handler(draft, entry):
        a, b = entry.args[0], entry.args[1]
        alpha = argument(entry, 2, "alpha", 1)
        if entry.kwargs.get("rounding_mode"):
            raise Refused("a division that rounds")
        if op in ("logical_and", "logical_or") and entry.name.startswith("aten.bitwise"):
            if draft.trace.dtypes[entry.outputs[0]] != torch.bool:
                raise Refused(f"{entry.name} on integers")
        if is_number(b):
            return [scalar_node(draft, entry, op, draft.input(a), b, alpha)]
        if is_number(a):
            raise Refused(f"{entry.name} with a number on its left")
        left, right = draft.input(a), draft.input(b)
        if alpha != 1:
            right = draft.node("mul_scalar", [right], {"scalar": alpha}, entry, shape=draft.shape(right))
        return [draft.node(op, [left, right], {}, entry)]

    return handler


def scalar_node(draft, entry, op, x, number, alpha=1):
    if op == "sub":
        op, number = "add", -number
    if op in ("minimum", "maximum"):
        return draft.node("clamp", [x], {"min": number if op == "maximum" else None,
                                         "max": number if op == "minimum" else None}, entry)
    if op in ("logical_and", "logical_or"):
        raise Refused(f"{entry.name} with a number")
    return draft.node(op + "_scalar", [x], {"scalar": number * alpha}, entry)


for _name, _op in BINARY.items():
    for _suffix in ("Tensor", "Scalar", "Tensor_Tensor", "Tensor_Scalar", "default", "Tensor_mode", "Scalar_mode"):
        for _under in ("", "_"):
            HANDLERS[f"aten.{_name}{_under}.{_suffix}"] = _binary(_op)


@handles("rsub.Scalar", "rsub.Tensor")
def rsub(draft, entry):
    x, other, alpha = entry.args[0], entry.args[1], argument(entry, 2, "alpha", 1)
    if alpha != 1:
        raise Refused("rsub with a factor")
    if is_number(other):
        return [draft.node("rsub_scalar", draft.inputs(x), {"scalar": other}, entry)]
    return [draft.node("sub", draft.inputs(other, x), {}, entry)]


@handles("pow.Scalar")
def number_to_power(draft, entry):
    base = entry.args[0]
    if base <= 0:
        raise Refused("a power of a number that is not positive")
    x = draft.input(entry.args[1])
    scaled = draft.node("mul_scalar", [x], {"scalar": math.log(base)}, entry, shape=draft.shape(x))
    return [draft.node("exp", [scaled], {}, entry)]


@handles("addcmul.default", "addcdiv.default")
def addcmul(draft, entry):
    op = "mul" if "mul" in entry.name else "div"
    x, a, b = draft.inputs(*entry.args[:3])
    shape = draft.output_shape(entry)
    product = draft.node(op, [a, b], {}, entry, shape=shape)
    factor = entry.kwargs.get("value", 1)
    if factor != 1:
        product = draft.node("mul_scalar", [product], {"scalar": factor}, entry, shape=shape)
    return [draft.node("add", [x, product], {}, entry)]


@handles("clamp.default", "clamp_.default", "clamp_min.default", "clamp_max.default", "clamp_min_.default",
         "clamp_max_.default")
def clamp(draft, entry):
    low, high = argument(entry, 1, "min"), argument(entry, 2, "max")
    if "clamp_max" in entry.name:
        low, high = None, argument(entry, 1, "max")
    return [draft.node("clamp", draft.inputs(entry.args[0]), {"min": low, "max": high}, entry)]


@handles("where.self", "where.ScalarOther", "where.ScalarSelf", "where.Scalar")
def where(draft, entry):
    shape = draft.output_shape(entry)
    values = [v if isinstance(v, Ref) else draft.node("full", [], {"shape": [], "value": v}, entry, shape=())
              for v in entry.args[1:3]]
    inputs = [draft.input(v) if isinstance(v, Ref) else v for v in [entry.args[0], *values]]
    return [draft.node("where", inputs, {}, entry, shape=shape)]


@handles("masked_fill.Scalar", "masked_fill_.Scalar")
def masked_fill(draft, entry):
    number = draft.node("full", [], {"shape": [], "value": entry.args[2]}, entry, shape=())
    return [draft.node("where", [draft.input(entry.args[1]), number, draft.input(entry.args[0])], {}, entry)]


REDUCTIONS = {"sum": "sum", "mean": "mean", "amax": "amax", "amin": "amin"}


@handles("sum.default", "sum.dim_IntList", "mean.default", "mean.dim", "amax.default", "amin.default")
def reduction(draft, entry):
    op = REDUCTIONS[entry.name.split(".")[1]]
    axes = argument(entry, 1, "dim") if not (entry.name in ("aten.sum.default", "aten.mean.default")) else []
    attributes = {"axes": list(axes or []) if isinstance(axes, (list, tuple, type(None))) else [axes],
                  "keepdim": bool(argument(entry, 2, "keepdim", False))}
    return [draft.node(op, [float_input(draft, entry)], attributes, entry)]


@handles("max.default", "min.default")
def extreme(draft, entry):
    op = "amax" if "max" in entry.name else "amin"
    return [draft.node(op, draft.inputs(entry.args[0]), {"axes": [], "keepdim": False}, entry)]


@handles("max.dim", "min.dim")
def extreme_along(draft, entry):
    """The element at the place of the extreme: among equal ones a single one has the gradient, unlike with amax."""
    x, final = draft.input(entry.args[0]), draft.trace.shapes[entry.outputs[0]]
    axis = entry.args[1] % len(draft.shape(x))
    kept = tuple(1 if i == axis else n for i, n in enumerate(draft.shape(x)))
    places = draft.node("argmax" if "max" in entry.name else "argmin", [x], {"axis": axis, "keepdim": True}, entry,
                        shape=kept, dtype=torch.int64)
    values = draft.node("gather", [x, places], {"axis": axis}, entry, shape=kept)
    if kept == final:
        return [values, places]
    return [draft.node("reshape", [v], {"shape": list(final)}, entry, shape=final, dtype=draft.dtype(v))
            for v in (values, places)]


@handles("argmax.default", "argmin.default")
def extreme_place(draft, entry):
    op, axis, x = entry.name.split(".")[1], argument(entry, 1, "dim"), draft.input(entry.args[0])
    keepdim = bool(argument(entry, 2, "keepdim", False))
    if axis is None:
        if keepdim:
            raise Refused(f"{op} over all axes that are kept")
        count = math.prod(draft.shape(x))
        x, axis = draft.node("reshape", [x], {"shape": [count]}, entry, shape=(count,), dtype=draft.dtype(x)), 0
    return [draft.node(op, [x], {"axis": axis, "keepdim": keepdim}, entry)]


@handles("topk.default")
def topk(draft, entry):
    x, axis = draft.input(entry.args[0]), argument(entry, 2, "dim", -1)
    attributes = {"axis": axis, "k": entry.args[1], "largest": bool(argument(entry, 3, "largest", True))}
    shape = draft.output_shape(entry)
    return [draft.node("topk", [x], attributes, entry),
            draft.node("topk_indices", [x], attributes, entry, shape=shape, dtype=torch.int64)]


@handles("gather.default", "index_select.default")
def gather(draft, entry):
    op = entry.name.split(".")[1]
    return [draft.node(op, draft.inputs(entry.args[0], entry.args[2]), {"axis": entry.args[1]}, entry)]


@handles("scatter_.value", "scatter.value")
def scatter(draft, entry):
    """One-hot vectors reach ATen as ones scattered into zeros."""
    x, axis, index, number = draft.input(entry.args[0]), entry.args[1], draft.input(entry.args[2]), entry.args[3]
    source, shape, places = draft.producer_of(x), draft.shape(x), draft.shape(index)
    axis %= len(shape)
    if source is None or source["op"] != "full" or source["attributes"]["value"] != 0 or \
            places != shape[:axis] + (1,) + shape[axis + 1:]:
        raise Refused("a scatter that makes no one-hot vectors")
    flat = places[:axis] + places[axis + 1:]
    value = draft.node("reshape", [index], {"shape": list(flat)}, entry, shape=flat, dtype=torch.int64)
    value = draft.node("one_hot", [value], {"classes": shape[axis]}, entry, shape=flat + (shape[axis],))
    if axis != len(shape) - 1:
        order = list(range(axis)) + [len(shape) - 1] + list(range(axis, len(shape) - 1))
        value = draft.node("permute", [value], {"axes": order}, entry)
    return [value if number == 1 else draft.node("mul_scalar", [value], {"scalar": number}, entry)]


@handles("arange.default", "arange.start", "arange.start_step")
def arange(draft, entry):
    start = 0 if entry.name.endswith("default") else entry.args[0]
    step = argument(entry, 2, "step", 1) if entry.name.endswith("step") else 1
    return [draft.node("arange", [], {"start": start, "step": step, "size": draft.output_shape(entry)[0]}, entry)]


@handles("linspace.default")
def linspace(draft, entry):
    start, end, count = entry.args[:3]
    step = (end - start) / (count - 1) if count > 1 else 0
    return [draft.node("arange", [], {"start": start, "step": step, "size": count}, entry)]


@handles("cumsum.default")
def cumsum(draft, entry):
    return [draft.node("cumsum", [float_input(draft, entry)], {"axis": entry.args[1]}, entry)]


@handles("prod.default", "prod.dim_int")
def product(draft, entry):
    axes = [] if entry.name.endswith("default") else [entry.args[1]]
    attributes = {"axes": axes, "keepdim": bool(argument(entry, 2, "keepdim", False)) if axes else False}
    return [draft.node("prod", [float_input(draft, entry)], attributes, entry)]


def float_input(draft, entry):
    """The first operand; sums and products of integers and Booleans are computed on floating-point numbers."""
    x = draft.input(entry.args[0])
    if draft.dtype(x) in FLOATS:
        return x
    return draft.node("cast", [x], {"dtype": "float32"}, entry, shape=draft.shape(x), dtype=torch.float32)


@handles("flip.default")
def flip(draft, entry):
    return [draft.node("flip", draft.inputs(entry.args[0]), {"axes": list(entry.args[1])}, entry)]


@handles("roll.default")
def roll(draft, entry):
    attributes = {"shifts": list(entry.args[1]), "axes": list(argument(entry, 2, "dims", []))}
    return [draft.node("roll", draft.inputs(entry.args[0]), attributes, entry)]


@handles("tril.default", "triu.default")
def triangle(draft, entry):
    op = entry.name.split(".")[1]
    return [draft.node(op, draft.inputs(entry.args[0]), {"diagonal": argument(entry, 1, "diagonal", 0)}, entry)]


@handles("lerp.Scalar")
def lerp(draft, entry):
    a, b = draft.inputs(*entry.args[:2])
    shape = draft.output_shape(entry)
    step = draft.node("mul_scalar", [draft.node("sub", [b, a], {}, entry, shape=shape)], {"scalar": entry.args[2]}, entry)
    return [draft.node("add", [a, step], {}, entry)]


@handles("clamp.Tensor", "clamp_.Tensor")
def clamp_between(draft, entry):
    value = draft.input(entry.args[0])
    shape = draft.output_shape(entry)
    for op, bound in (("maximum", argument(entry, 1, "min")), ("minimum", argument(entry, 2, "max"))):
        if bound is not None:
            value = draft.node(op, [value, draft.input(bound)], {}, entry, shape=shape)
    return [value]


@handles("logsumexp.default")
def logsumexp(draft, entry):
    """m + log Σ exp(x − m) with the largest element m, whose own gradient cancels."""
    x, axes, keepdim = draft.input(entry.args[0]), list(entry.args[1]), bool(argument(entry, 2, "keepdim", False))
    axes = [a % len(draft.shape(x)) for a in axes] or list(range(len(draft.shape(x))))
    kept = tuple(1 if i in axes else n for i, n in enumerate(draft.shape(x)))
    largest = draft.node("amax", [x], {"axes": axes, "keepdim": True}, entry, shape=kept)
    largest = draft.node("detach", [largest], {}, entry, shape=kept)
    value = draft.node("sub", [x, largest], {}, entry, shape=draft.shape(x))
    value = draft.node("exp", [value], {}, entry, shape=draft.shape(x))
    value = draft.node("sum", [value], {"axes": axes, "keepdim": True}, entry, shape=kept)
    value = draft.node("log", [value], {}, entry, shape=kept)
    value = draft.node("add", [value, largest], {}, entry, shape=kept)
    final = draft.output_shape(entry)
    return [value if keepdim else draft.node("reshape", [value], {"shape": list(final)}, entry, shape=final)]


@handles("xlogy.Tensor")
def xlogy(draft, entry):
    """x · log y, and zero where x is zero, whatever y is."""
    x, y = draft.inputs(*entry.args[:2])
    shape, one = draft.output_shape(entry), draft.node("full", [], {"shape": [], "value": 1}, entry, shape=())
    zero = draft.node("eq_scalar", [x], {"scalar": 0}, entry, shape=draft.shape(x), dtype=torch.bool)
    outside = draft.node("le_scalar", [y], {"scalar": 0}, entry, shape=draft.shape(y), dtype=torch.bool)
    zero = draft.node("logical_and", [zero, outside], {}, entry, shape=shape, dtype=torch.bool)
    inside = draft.node("where", [zero, one, y], {}, entry, shape=shape)
    return [draft.node("mul", [x, draft.node("log", [inside], {}, entry, shape=shape)], {}, entry, shape=shape)]


@handles("clamp_min.Tensor", "clamp_min_.Tensor", "clamp_max.Tensor", "clamp_max_.Tensor")
def clamp_by_tensor(draft, entry):
    return [draft.node("maximum" if "min" in entry.name else "minimum", draft.inputs(*entry.args[:2]), {}, entry)]


@handles("var.correction", "std.correction", "var_mean.correction")
def variance(draft, entry):
    x = draft.input(entry.args[0])
    shape = draft.shape(x)
    axes = argument(entry, 1, "dim")
    axes = [a % len(shape) for a in axes] if axes else list(range(len(shape)))
    keepdim = bool(entry.kwargs.get("keepdim", False))
    correction = entry.kwargs.get("correction")
    correction = 1 if correction is None else correction
    kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
    final = kept if keepdim else tuple(n for i, n in enumerate(shape) if i not in axes)
    count = math.prod(shape[a] for a in axes) - correction
    mean = draft.node("mean", [x], {"axes": axes, "keepdim": True}, entry, shape=kept)
    centred = draft.node("sub", [x, mean], {}, entry, shape=shape)
    squares = draft.node("square", [centred], {}, entry, shape=shape)
    total = draft.node("sum", [squares], {"axes": axes, "keepdim": keepdim}, entry, shape=final)
    result = draft.node("div_scalar", [total], {"scalar": count}, entry, shape=final)
    if entry.name.startswith("aten.std"):
        result = draft.node("sqrt", [result], {}, entry, shape=final)
    if entry.name.startswith("aten.var_mean"):
        return [result, draft.node("reshape", [mean], {"shape": list(final)}, entry, shape=final)]
    return [result]


@handles("linalg_vector_norm.default")
def vector_norm(draft, entry):
    if argument(entry, 1, "ord", 2) != 2:
        raise Refused("a vector norm other than the second")
    x = draft.input(entry.args[0])
    axes, final = argument(entry, 2, "dim"), draft.output_shape(entry)
    squares = draft.node("square", [x], {}, entry, shape=draft.shape(x))
    total = draft.node("sum", [squares], {"axes": list(axes or []), "keepdim": bool(argument(entry, 3, "keepdim", False))},
                       entry, shape=final)
    return [draft.node("sqrt", [total], {}, entry)]


@handles("mm.default", "bmm.default", "matmul.default", "mv.default", "dot.default")
def matmul(draft, entry):
    return [draft.node("matmul", draft.inputs(*entry.args[:2]), {}, entry)]


@handles("addmm.default", "baddbmm.default")
def addmm(draft, entry):
    alpha, beta = entry.kwargs.get("alpha", 1), entry.kwargs.get("beta", 1)
    bias, a, b = draft.inputs(*entry.args[:3])
    shape = draft.output_shape(entry)
    weight = draft.producer_of(b)
    if alpha != 1:
        a = draft.node("mul_scalar", [a], {"scalar": alpha}, entry, shape=draft.shape(a))
    if beta != 1:
        bias = draft.node("mul_scalar", [bias], {"scalar": beta}, entry, shape=draft.shape(bias))
    # A linear layer reaches ATen as bias + x · transposed weight.
    if weight is not None and weight["op"] == "permute" and weight["attributes"]["axes"] == [1, 0]:
        return [draft.node("linear", [a, weight["inputs"][0], bias], {}, entry)]
    return [draft.node("add", [draft.node("matmul", [a, b], {}, entry, shape=shape), bias], {}, entry)]


@handles("pixel_shuffle.default")
def pixel_shuffle(draft, entry):
    n, c, h, w = entry_shape(draft, entry.args[0])
    r = entry.args[1]
    split_shape, mixed = (n, c // (r * r), r, r, h, w), (n, c // (r * r), h, r, w, r)
    value = draft.node("reshape", draft.inputs(entry.args[0]), {"shape": list(split_shape)}, entry, shape=split_shape)
    value = draft.node("permute", [value], {"axes": [0, 1, 4, 2, 5, 3]}, entry, shape=mixed)
    return [draft.node("reshape", [value], {"shape": list(draft.output_shape(entry))}, entry)]


@handles("pixel_unshuffle.default")
def pixel_unshuffle(draft, entry):
    return [draft.node("pixel_unshuffle", draft.inputs(entry.args[0]), {"factor": entry.args[1]}, entry)]


@handles("_scaled_dot_product_flash_attention_for_cpu.default")
def attention(draft, entry):
    if argument(entry, 3, "dropout_p", 0.0) != 0:
        raise Refused("attention with dropout inside")
    attributes = {"is_causal": bool(argument(entry, 4, "is_causal", False))}
    if entry.kwargs.get("scale") is not None:
        attributes["scale"] = entry.kwargs["scale"]
    inputs = draft.inputs(*entry.args[:3], entry.kwargs.get("attn_mask"))
    return [draft.node("scaled_dot_product_attention", inputs, attributes, entry), None]


LOSS_REDUCTION = {0: "none", 1: "mean", 2: "sum"}


@handles("binary_cross_entropy.default")
def binary_cross_entropy(draft, entry):
    x, target = entry.args[:2]
    weight = argument(entry, 2, "weight")
    return [draft.node("binary_cross_entropy", draft.inputs(x, target, weight),
                       {"reduction": LOSS_REDUCTION[argument(entry, 3, "reduction", 1)]}, entry)]


@handles("binary_cross_entropy_with_logits.default")
def binary_cross_entropy_with_logits(draft, entry):
    x, target = entry.args[:2]
    weight, positive = argument(entry, 2, "weight"), argument(entry, 3, "pos_weight")
    return [draft.node("binary_cross_entropy_with_logits", draft.inputs(x, target, weight, positive),
                       {"reduction": LOSS_REDUCTION[argument(entry, 4, "reduction", 1)]}, entry)]


@handles("mse_loss.default", "l1_loss.default")
def pointwise_loss(draft, entry):
    op = entry.name.split(".")[1]
    return [draft.node(op, draft.inputs(*entry.args[:2]),
                       {"reduction": LOSS_REDUCTION[argument(entry, 2, "reduction", 1)]}, entry)]


@handles("smooth_l1_loss.default")
def smooth_l1_loss(draft, entry):
    return [draft.node("smooth_l1_loss", draft.inputs(*entry.args[:2]),
                       {"reduction": LOSS_REDUCTION[argument(entry, 2, "reduction", 1)],
                        "beta": argument(entry, 3, "beta", 1.0)}, entry)]


@handles("huber_loss.default")
def huber_loss(draft, entry):
    delta = argument(entry, 3, "delta", 1.0)
    value = draft.node("smooth_l1_loss", draft.inputs(*entry.args[:2]),
                       {"reduction": LOSS_REDUCTION[argument(entry, 2, "reduction", 1)], "beta": delta}, entry)
    return [value if delta == 1 else draft.node("mul_scalar", [value], {"scalar": delta}, entry)]


@handles("nll_loss2d_forward.default", "nll_loss_forward.default")
def nll_loss(draft, entry):
    x, target, weight, how, ignored = entry.args[:5]
    return [draft.node("nll_loss", draft.inputs(x, target, weight),
                       {"reduction": LOSS_REDUCTION[how], "ignore_index": ignored}, entry), None]
