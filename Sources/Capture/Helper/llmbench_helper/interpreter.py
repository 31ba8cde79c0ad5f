"""Computes a captured graph with PyTorch, operation by operation, from nothing but its JSON and its weights.

Only the operations of the table run; attributes are numbers, lists and fixed words. Gradients come from autograd.
"""

import torch
import torch.nn.functional as F

TORCH_DTYPES = {"float32": torch.float32, "float64": torch.float64, "int64": torch.int64, "bool": torch.bool}


class GraphError(Exception):
    """A graph that cannot be computed, in one sentence."""


def size(value, batch):
    return value["batch"] * batch if isinstance(value, dict) else int(value)


def number(value, batch):
    if isinstance(value, dict):
        return value["number"] * batch ** value["batch_power"]
    if isinstance(value, str):
        return float(value)
    return value


class Interpreter:
    """One graph. `run` computes it for a batch; `tensors` holds parameters, buffers and constants by name."""

    def __init__(self, graph, dtype=torch.float32):
        self.graph = graph
        self.dtype = dtype
        self.last_use = {}
        for index, node in enumerate(graph["nodes"]):
            if node["op"] not in OPERATIONS:
                raise GraphError(f"unknown operation {node['op']} at {node.get('source', 'an unknown line')}")
            for value in node["inputs"]:
                self.last_use[value] = index
        for value in graph["outputs"].values():
            self.last_use[value] = len(graph["nodes"])
        self.types = {v["id"]: v["dtype"] for v in graph["values"]}

    def run(self, inputs, tensors, draws=None, training=True):
        """The graph's outputs by name.

        inputs: by name, the first axis is the batch. tensors: by name. draws: value id to tensor, in place of random
        draws. With `training`, batch norm updates the running statistics among `tensors`, in place.
        """
        values, graph = {}, self.graph
        batch = next(iter(inputs.values())).shape[0]
        for leaf in graph["inputs"]:
            values[leaf["value"]] = self._typed(inputs[leaf["name"]], leaf["value"])
        for kind in ("parameters", "buffers", "constants"):
            for leaf in graph[kind]:
                if leaf["name"] not in tensors:
                    raise GraphError(f"the weights lack {leaf['name']}")
                values[leaf["value"]] = self._typed(tensors[leaf["name"]], leaf["value"])
        context = Context(batch, draws or {}, training, self.dtype)
        for index, node in enumerate(graph["nodes"]):
            arguments = [None if v is None else values[v] for v in node["inputs"]]
            output = node["outputs"][0]
            try:
                values[output] = OPERATIONS[node["op"]](context, node, arguments)
            except (RuntimeError, KeyError, TypeError, IndexError) as problem:
                raise GraphError(f"{node['op']} at {node.get('source', 'an unknown line')}: {problem}") from None
            for value in node["inputs"]:
                if value is not None and self.last_use.get(value) == index:
                    values.pop(value, None)
        return {name: values[value] for name, value in graph["outputs"].items()}

    def _typed(self, tensor, value):
        wanted = TORCH_DTYPES[self.types[value]]
        if wanted.is_floating_point:
            wanted = self.dtype
        return tensor if tensor.dtype == wanted else tensor.to(wanted)


class Context:
    def __init__(self, batch, draws, training, dtype):
        self.batch, self.draws, self.training, self.dtype = batch, draws, training, dtype

    def sizes(self, values):
        return [size(v, self.batch) for v in values]

    def number(self, value):
        return None if value is None else number(value, self.batch)


def _convolution(context, node, inputs):
    a = node["attributes"]
    x, weight, bias = inputs
    return torch.convolution(x, weight, bias, a["stride"], a["padding"], a["dilation"], a["transposed"],
                             a["output_padding"], a["groups"])


def _batch_norm(context, node, inputs):
    a = node["attributes"]
    x, weight, bias, mean, variance = inputs
    training = a["training"]
    if training and not context.training and mean is not None:
        mean, variance = mean.clone(), variance.clone()
    return F.batch_norm(x, mean, variance, weight, bias, training, a["momentum"], a["eps"])


def _bernoulli(context, node, inputs):
    drawn = context.draws.get(node["outputs"][0])
    if drawn is not None:
        return drawn.to(context.dtype)
    shape = context.sizes(node["attributes"]["shape"])
    return torch.empty(shape, dtype=context.dtype).bernoulli_(node["attributes"]["p"])


def _upsample_nearest(context, node, inputs):
    scale = node["attributes"].get("scale") or [None, None]
    return torch.ops.aten.upsample_nearest2d(inputs[0], context.sizes(node["attributes"]["output_size"]), *scale)


def _upsample_bilinear(context, node, inputs):
    a = node["attributes"]
    scale = a.get("scale") or [None, None]
    return torch.ops.aten.upsample_bilinear2d(inputs[0], context.sizes(a["output_size"]), a["align_corners"], *scale)


def _slice(context, node, inputs):
    a = node["attributes"]
    index = [slice(None)] * inputs[0].dim()
    index[a["axis"]] = slice(size(a["start"], context.batch), size(a["end"], context.batch), a.get("step", 1))
    return inputs[0][tuple(index)]


def _full(context, node, inputs):
    a = node["attributes"]
    return torch.full(context.sizes(a["shape"]), context.number(a["value"]), dtype=context.dtype)


def _cast(context, node, inputs):
    dtype = TORCH_DTYPES[node["attributes"]["dtype"]]
    return inputs[0].to(context.dtype if dtype.is_floating_point else dtype)


def _reduce(function):
    def run(context, node, inputs):
        axes, keepdim = node["attributes"]["axes"], node["attributes"]["keepdim"]
        if not axes:
            axes = list(range(inputs[0].dim()))
        return function(inputs[0], axes, keepdim) if axes else inputs[0]

    return run


def _unary(function):
    return lambda context, node, inputs: function(inputs[0])


def _binary(function):
    return lambda context, node, inputs: function(inputs[0], inputs[1])


def _scalar(function):
    return lambda context, node, inputs: function(inputs[0], context.number(node["attributes"]["scalar"]))


def _attributes(function, *names):
    return lambda context, node, inputs: function(inputs[0], *[node["attributes"][n] for n in names])


def _loss(function):
    return lambda context, node, inputs: function(inputs[0], inputs[1].to(inputs[0].dtype),
                                                  reduction=node["attributes"]["reduction"])


def _bce(context, node, inputs):
    weight = inputs[2] if len(inputs) > 2 else None
    return F.binary_cross_entropy(inputs[0], inputs[1].to(inputs[0].dtype), weight=weight,
                                  reduction=node["attributes"]["reduction"])


def _bce_logits(context, node, inputs):
    weight = inputs[2] if len(inputs) > 2 else None
    positive = inputs[3] if len(inputs) > 3 else None
    return F.binary_cross_entropy_with_logits(inputs[0], inputs[1].to(inputs[0].dtype), weight=weight,
                                              pos_weight=positive, reduction=node["attributes"]["reduction"])


def _max_pool(context, node, inputs):
    a = node["attributes"]
    return F.max_pool2d(inputs[0], a["kernel"], a["stride"], a["padding"], a["dilation"], a["ceil_mode"])


def _clamp(context, node, inputs):
    a = node["attributes"]
    return torch.clamp(inputs[0], context.number(a.get("min")), context.number(a.get("max")))


def _nll(context, node, inputs):
    weight = inputs[2] if len(inputs) > 2 else None
    return F.nll_loss(inputs[0], inputs[1].long(), weight=weight, reduction=node["attributes"]["reduction"],
                      ignore_index=node["attributes"]["ignore_index"])


OPERATIONS = {
    "convolution": _convolution,
    "linear": lambda c, n, i: F.linear(i[0], i[1], i[2] if len(i) > 2 else None),
    "matmul": _binary(torch.matmul),
    "batch_norm": _batch_norm,
    "group_norm": lambda c, n, i: F.group_norm(i[0], n["attributes"]["groups"], i[1], i[2], n["attributes"]["eps"]),
    "layer_norm": lambda c, n, i: F.layer_norm(i[0], n["attributes"]["normalized_shape"], i[1], i[2],
                                               n["attributes"]["eps"]),
    "leaky_relu": _attributes(F.leaky_relu, "negative_slope"),
    "elu": _attributes(F.elu, "alpha"),
    "gelu": lambda c, n, i: F.gelu(i[0], approximate=n["attributes"]["approximate"]),
    "softplus": _attributes(F.softplus, "beta", "threshold"),
    "hardtanh": _attributes(F.hardtanh, "min", "max"),
    "prelu": _binary(F.prelu),
    "softmax": _attributes(torch.softmax, "axis"),
    "log_softmax": _attributes(torch.log_softmax, "axis"),
    "max_pool2d": _max_pool,
    "avg_pool2d": _attributes(F.avg_pool2d, "kernel", "stride", "padding", "ceil_mode", "count_include_pad"),
    "adaptive_avg_pool2d": _attributes(F.adaptive_avg_pool2d, "output_size"),
    "upsample_nearest2d": _upsample_nearest,
    "upsample_bilinear2d": _upsample_bilinear,
    "concatenate": lambda c, n, i: torch.cat(i, n["attributes"]["axis"]),
    "pad": lambda c, n, i: F.pad(i[0], n["attributes"]["padding"], value=c.number(n["attributes"]["value"])),
    "slice": _slice,
    "select": lambda c, n, i: i[0].select(n["attributes"]["axis"], size(n["attributes"]["index"], c.batch)),
    "reshape": lambda c, n, i: i[0].reshape(c.sizes(n["attributes"]["shape"])),
    "permute": lambda c, n, i: i[0].permute(n["attributes"]["axes"]),
    "expand": lambda c, n, i: i[0].expand(c.sizes(n["attributes"]["shape"])),
    "identity": lambda c, n, i: i[0],
    "cast": _cast,
    "full": _full,
    "bernoulli": _bernoulli,
    "dropout": lambda c, n, i: F.dropout(i[0], n["attributes"]["p"], training=True),
    "clamp": _clamp,
    "where": lambda c, n, i: torch.where(i[0], i[1], i[2]),
    "argmax": lambda c, n, i: torch.argmax(i[0], n["attributes"]["axis"], n["attributes"]["keepdim"]),
    "binary_cross_entropy": _bce,
    "binary_cross_entropy_with_logits": _bce_logits,
    "mse_loss": _loss(F.mse_loss),
    "l1_loss": _loss(F.l1_loss),
    "smooth_l1_loss": lambda c, n, i: F.smooth_l1_loss(i[0], i[1].to(i[0].dtype),
                                                       reduction=n["attributes"]["reduction"],
                                                       beta=n["attributes"]["beta"]),
    "nll_loss": _nll,
    "detach": _unary(torch.Tensor.detach),
    "rsub_scalar": _scalar(lambda x, s: s - x),
    "rdiv_scalar": _scalar(lambda x, s: s / x),
    "sum": _reduce(torch.sum),
    "mean": _reduce(torch.mean),
    "amax": _reduce(torch.amax),
    "amin": _reduce(torch.amin),
}
for _name, _function in {
    "relu": F.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "silu": F.silu, "mish": F.mish,
    "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid, "log_sigmoid": F.logsigmoid, "neg": torch.neg,
    "abs": torch.abs, "exp": torch.exp, "log": torch.log, "log1p": torch.log1p, "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt, "square": torch.square, "reciprocal": torch.reciprocal, "sign": torch.sign,
    "floor": torch.floor, "round": torch.round, "logical_not": torch.logical_not,
}.items():
    OPERATIONS[_name] = _unary(_function)
for _name in ("add", "sub", "mul", "div", "minimum", "maximum", "pow", "gt", "ge", "lt", "le", "eq", "ne",
              "logical_and", "logical_or"):
    OPERATIONS[_name] = _binary(getattr(torch, _name))
for _name in ("add", "mul", "div", "pow", "gt", "ge", "lt", "le", "eq", "ne"):
    OPERATIONS[_name + "_scalar"] = _scalar(getattr(torch, _name))
