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


def _upsample(op, axes):
    function = getattr(torch.ops.aten, ("_" if "exact" in op else "") + op)

    def run(context, node, inputs):
        a = node["attributes"]
        scale = a.get("scale") or [None] * axes
        aligned = [] if "nearest" in op else [a["align_corners"]]
        return function(inputs[0], context.sizes(a["output_size"]), *aligned, *scale)

    return run


def _pad(context, node, inputs):
    a = node["attributes"]
    return F.pad(inputs[0], a["padding"], a.get("mode", "constant"), context.number(a.get("value")))


def _instance_norm(context, node, inputs):
    a = node["attributes"]
    x, weight, bias, mean, variance = inputs
    if a["use_input_stats"] and not context.training:
        mean, variance = (None if t is None else t.clone() for t in (mean, variance))
    return F.instance_norm(x, mean, variance, weight, bias, a["use_input_stats"], a["momentum"], a["eps"])


def _softmax(context, node, inputs):
    function = torch.ops.aten._safe_softmax if node["attributes"].get("safe") else torch.softmax
    return function(inputs[0], node["attributes"]["axis"])


def _attention(context, node, inputs):
    a = node["attributes"]
    mask = inputs[3] if len(inputs) > 3 else None
    return F.scaled_dot_product_attention(*inputs[:3], mask, 0.0, a["is_causal"], scale=a.get("scale"))


def _arange(context, node, inputs):
    a = node["attributes"]
    steps = torch.arange(size(a["size"], context.batch), dtype=context.dtype)
    return context.number(a["start"]) + context.number(a["step"]) * steps


def _prod(context, node, inputs):
    a, y = node["attributes"], inputs[0]
    for axis in sorted((n % y.dim() for n in a["axes"] or range(y.dim())), reverse=True):
        y = y.prod(axis, keepdim=a["keepdim"])
    return y


def _spread(function):
    def run(context, node, inputs):
        a = node["attributes"]
        return function(inputs[0], dim=a["axes"] or None, correction=a["correction"], keepdim=a["keepdim"])

    return run


def _roll(context, node, inputs):
    a = node["attributes"]
    return torch.roll(inputs[0], a["shifts"], a["axes"]) if a["axes"] else torch.roll(inputs[0], a["shifts"][0])


def _cross_entropy(context, node, inputs):
    a, x, target = node["attributes"], inputs[0], inputs[1]
    return F.cross_entropy(x, target if target.shape == x.shape else target.long(), inputs[2] if len(inputs) > 2 else None,
                           ignore_index=a.get("ignore_index", -100), reduction=a["reduction"],
                           label_smoothing=a.get("label_smoothing", 0.0))


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


def _max_pool(function):
    def run(context, node, inputs):
        a = node["attributes"]
        return function(inputs[0], a["kernel"], a["stride"], a["padding"], a["dilation"], a["ceil_mode"])

    return run


def _avg_pool(function):
    def run(context, node, inputs):
        a = node["attributes"]
        divisor = [a["divisor_override"]] if "divisor_override" in a else []
        return function(inputs[0], a["kernel"], a["stride"], a["padding"], a["ceil_mode"], a["count_include_pad"], *divisor)

    return run


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
    "einsum": lambda c, n, i: torch.einsum(n["attributes"]["equation"], *i),
    "scaled_dot_product_attention": _attention,
    "instance_norm": _instance_norm,
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
    "softmax": _softmax,
    "log_softmax": _attributes(torch.log_softmax, "axis"),
    "concatenate": lambda c, n, i: torch.cat(i, n["attributes"]["axis"]),
    "stack": lambda c, n, i: torch.stack(i, n["attributes"]["axis"]),
    "pad": _pad,
    "flip": _attributes(torch.flip, "axes"),
    "roll": _roll,
    "repeat": lambda c, n, i: i[0].repeat(c.sizes(n["attributes"]["repeats"])),
    "pixel_shuffle": _attributes(F.pixel_shuffle, "factor"),
    "pixel_unshuffle": _attributes(F.pixel_unshuffle, "factor"),
    "tril": _attributes(torch.tril, "diagonal"),
    "triu": _attributes(torch.triu, "diagonal"),
    "gather": lambda c, n, i: torch.gather(i[0], n["attributes"]["axis"], i[1].long()),
    "index_select": lambda c, n, i: torch.index_select(i[0], n["attributes"]["axis"], i[1].long()),
    "topk": lambda c, n, i: torch.topk(i[0], *[n["attributes"][k] for k in ("k", "axis", "largest")])[0],
    "topk_indices": lambda c, n, i: torch.topk(i[0], *[n["attributes"][k] for k in ("k", "axis", "largest")])[1],
    "one_hot": lambda c, n, i: F.one_hot(i[0].long(), n["attributes"]["classes"]).to(c.dtype),
    "arange": _arange,
    "cumsum": _attributes(torch.cumsum, "axis"),
    "prod": _prod,
    "var": _spread(torch.var),
    "std": _spread(torch.std),
    "cross_entropy": _cross_entropy,
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
    "argmin": lambda c, n, i: torch.argmin(i[0], n["attributes"]["axis"], n["attributes"]["keepdim"]),
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
for _axes in (1, 2, 3):
    OPERATIONS[f"max_pool{_axes}d"] = _max_pool(getattr(F, f"max_pool{_axes}d"))
    OPERATIONS[f"avg_pool{_axes}d"] = _avg_pool(getattr(F, f"avg_pool{_axes}d"))
    for _kind in ("avg", "max"):
        OPERATIONS[f"adaptive_{_kind}_pool{_axes}d"] = (
            lambda c, n, i, f=getattr(F, f"adaptive_{_kind}_pool{_axes}d"): f(i[0], c.sizes(n["attributes"]["output_size"])))
    for _name in (f"upsample_nearest{_axes}d", f"upsample_nearest_exact{_axes}d"):
        OPERATIONS[_name] = _upsample(_name, _axes)
for _name, _axes in (("upsample_linear1d", 1), ("upsample_bilinear2d", 2), ("upsample_bicubic2d", 2),
                     ("upsample_trilinear3d", 3)):
    OPERATIONS[_name] = _upsample(_name, _axes)
for _name in ("add", "sub", "mul", "div", "minimum", "maximum", "pow", "gt", "ge", "lt", "le", "eq", "ne",
              "logical_and", "logical_or"):
    OPERATIONS[_name] = _binary(getattr(torch, _name))
for _name in ("add", "mul", "div", "pow", "gt", "ge", "lt", "le", "eq", "ne"):
    OPERATIONS[_name + "_scalar"] = _scalar(getattr(torch, _name))
