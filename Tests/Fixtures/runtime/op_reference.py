"""Reference results of PyTorch for random graphs of one operation.

    python op_reference.py --seed 7 --count 4 [--op NAME ...] OUT
    python op_reference.py --seed 7 --count 4 --gradcheck [--op NAME ...]

For every operation of Documentation/GraphFormat.md, makes `count` random configurations and writes the i-th of all: the graphs by
name in OUT/graphs-i.json, and in OUT/graphs-i.safetensors, after the name and a slash, what goes in (`in.NAME`), PyTorch's loss
(`loss`) and the gradients of all parameters (`grad.NAME`). The loss is a weighted sum of the operation's result, so that every
element counts. The same graph is run here, node by node, by `execute`.

What the tests use where there is no PyTorch is remade by: op_reference.py --seed 1 --count 1 Tests/Fixtures/runtime/stored
"""

import argparse
import json
import math
import pathlib
import random

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import op_families

torch.set_num_threads(1)


class Case:
    """A graph under construction and the tensors it is about."""

    def __init__(self, rng):
        self.rng = rng
        self.values, self.nodes, self.inputs, self.parameters, self.buffers = [], [], [], [], []
        self.tensors = {}
        self.generator = torch.Generator().manual_seed(rng.randrange(1 << 40))

    def randn(self, *shape):
        return torch.randn(shape, generator=self.generator)

    def rand(self, *shape):
        return torch.rand(shape, generator=self.generator)

    def value(self, shape, dtype="float32"):
        self.values.append({"id": len(self.values), "shape": list(shape), "dtype": dtype})
        return len(self.values) - 1

    def parameter(self, tensor, name=None):
        v = self.value(tensor.shape)
        name = name or f"p{v}"
        self.parameters.append({"value": v, "name": name})
        self.tensors[v] = tensor.float().contiguous()
        return v

    def input(self, tensor, dtype="float32"):
        v = self.value(tensor.shape, dtype)
        self.inputs.append({"value": v, "name": f"x{v}"})
        self.tensors[v] = tensor.contiguous()
        return v

    def buffer(self, tensor):
        v = self.value(tensor.shape)
        self.buffers.append({"value": v, "name": f"b{v}"})
        self.tensors[v] = tensor.float().contiguous()
        return v

    def node(self, op, inputs, attributes=None, extra=None):
        node = {"op": op, "inputs": inputs, "outputs": [-1], "attributes": attributes or {}, "source": "model.py:1",
                "module": "m", **(extra or {})}
        shape = list(execute(node, [None if i is None else self.tensors[i] for i in inputs]).shape)
        out = self.value(shape)
        node["outputs"] = [out]
        self.tensors[out] = execute(node, [None if i is None else self.tensors[i] for i in inputs])
        self.nodes.append(node)
        return out

    def loss(self, v):
        """sum(result * weights) with random weights, normalised so that gradients are of order one."""
        shape = self.tensors[v].shape
        if len(shape) == 0 and False:
            return v
        w = self.input(self.randn(*shape) if len(shape) else self.rand(1).reshape(()) + 0.5)
        product = self.node("mul", [v, w])
        return self.node("sum", [product], {"axes": [], "keepdim": False})


def execute(node, x):
    """One node in PyTorch."""
    op, a = node["op"], node["attributes"]
    simple = {
        "relu": F.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "silu": F.silu, "mish": F.mish,
        "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid, "log_sigmoid": F.logsigmoid,
        "neg": torch.neg, "abs": torch.abs, "exp": torch.exp, "log": torch.log, "log1p": torch.log1p,
        "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "square": torch.square, "reciprocal": torch.reciprocal,
        "sign": torch.sign, "floor": torch.floor, "round": torch.round, "identity": lambda t: t.clone(),
        "detach": lambda t: t.detach(), "logical_not": lambda t: torch.logical_not(t).float(),
        "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "minimum": torch.minimum,
        "maximum": torch.maximum, "pow": torch.pow, "matmul": torch.matmul,
        "logical_and": lambda p, q: torch.logical_and(p, q).float(),
        "logical_or": lambda p, q: torch.logical_or(p, q).float(),
        "prelu": F.prelu,
    }
    if op in simple:
        return simple[op](*x)
    compare = {"gt": torch.gt, "ge": torch.ge, "lt": torch.lt, "le": torch.le, "eq": torch.eq, "ne": torch.ne}
    if op in compare:
        return compare[op](*x).float()
    if op.endswith("_scalar") and op[:-7] in compare:
        return compare[op[:-7]](x[0], a["scalar"]).float()
    if op == "convolution":
        rank = x[0].dim() - 2
        f = getattr(torch, f"conv_transpose{rank}d" if a["transposed"] else f"conv{rank}d")
        if a["transposed"]:
            return f(x[0], x[1], x[2], a["stride"], a["padding"], a["output_padding"], a["groups"], a["dilation"])
        return f(x[0], x[1], x[2], a["stride"], a["padding"], a["dilation"], a["groups"])
    if op == "linear":
        return F.linear(*x)
    if op == "batch_norm":
        running = [None if t is None else t.clone() for t in x[3:5]]
        y = F.batch_norm(x[0], running[0], running[1], x[1], x[2], a["training"], a["momentum"], a["eps"])
        node["running"] = running
        return y
    if op == "group_norm":
        return F.group_norm(x[0], a["groups"], x[1], x[2], a["eps"])
    if op == "layer_norm":
        return F.layer_norm(x[0], a["normalized_shape"], x[1], x[2], a["eps"])
    if op == "leaky_relu":
        return F.leaky_relu(x[0], a["negative_slope"])
    if op == "elu":
        return F.elu(x[0], a["alpha"])
    if op == "gelu":
        return F.gelu(x[0], approximate=a["approximate"])
    if op == "softplus":
        return F.softplus(x[0], a["beta"], a["threshold"])
    if op == "hardtanh":
        return F.hardtanh(x[0], a["min"], a["max"])
    if op == "softmax":
        return F.softmax(x[0], a["axis"])
    if op == "log_softmax":
        return F.log_softmax(x[0], a["axis"])
    if op == "max_pool2d":
        return F.max_pool2d(x[0], a["kernel"], a["stride"], a["padding"], a["dilation"], a["ceil_mode"])
    if op == "concatenate":
        return torch.cat(x, a["axis"])
    if op == "pad":
        return F.pad(x[0], a["padding"], a.get("mode", "constant"), a.get("value", 0))
    if op == "instance_norm":
        running = [None if t is None else t.clone() for t in x[3:5]]
        y = F.instance_norm(x[0], running[0], running[1], x[1], x[2], a["use_input_stats"], a["momentum"], a["eps"])
        node["running"] = running
        return y
    if op == "scaled_dot_product_attention":
        return op_families.attention_reference(x, a, node)
    if op in op_families.REFERENCES:
        return op_families.REFERENCES[op](x, a)
    if op == "slice":
        return torch.ops.aten.slice(x[0], a["axis"], a["start"], a["end"], a["step"])
    if op == "select":
        return x[0].select(a["axis"], a["index"])
    if op == "reshape":
        return x[0].reshape(a["shape"])
    if op == "permute":
        return x[0].permute(a["axes"])
    if op == "expand":
        return x[0].expand(a["shape"])
    if op == "cast":
        return x[0].to(getattr(torch, a["dtype"])).float()
    if op == "full":
        return torch.full(a["shape"], float(a["value"]))
    if op == "where":
        return torch.where(x[0] != 0, x[1], x[2])
    if op == "add_scalar":
        return x[0] + a["scalar"]
    if op == "mul_scalar":
        return x[0] * a["scalar"]
    if op == "div_scalar":
        return x[0] / a["scalar"]
    if op == "pow_scalar":
        return x[0] ** a["scalar"]
    if op == "rsub_scalar":
        return a["scalar"] - x[0]
    if op == "rdiv_scalar":
        return a["scalar"] / x[0]
    if op == "clamp":
        return torch.clamp(x[0], a.get("min"), a.get("max"))
    if op in ("sum", "mean", "amax", "amin"):
        axes = a["axes"] or list(range(x[0].dim()))
        if not axes:
            return x[0].clone()
        return getattr(torch, op)(x[0], dim=axes, keepdim=a["keepdim"])
    if op == "argmax":
        return torch.argmax(x[0], a["axis"], a["keepdim"]).float()
    if op == "binary_cross_entropy":
        return F.binary_cross_entropy(x[0], x[1], x[2] if len(x) > 2 else None, reduction=a["reduction"])
    if op == "binary_cross_entropy_with_logits":
        weight, positive = (list(x[2:]) + [None, None])[:2]
        return F.binary_cross_entropy_with_logits(x[0], x[1], weight, reduction=a["reduction"], pos_weight=positive)
    if op == "mse_loss":
        return F.mse_loss(x[0], x[1], reduction=a["reduction"])
    if op == "l1_loss":
        return F.l1_loss(x[0], x[1], reduction=a["reduction"])
    if op == "smooth_l1_loss":
        return F.smooth_l1_loss(x[0], x[1], reduction=a["reduction"], beta=a["beta"])
    if op == "nll_loss":
        return F.nll_loss(x[0], x[1].long(), x[2], reduction=a["reduction"], ignore_index=a["ignore_index"])
    raise SystemExit(f"no such operation: {op}")


def image(c, low=1, high=13, channels=9):
    r = c.rng
    return c.randn(r.randint(1, 3), r.randint(1, channels), r.choice([1, r.randint(low, high)]) if low == 1 else
                   r.randint(low, high), r.randint(low, high))


def any_shape(r, rank=None):
    rank = rank or r.randint(1, 5)
    return [r.choice([1, r.randint(1, 7), r.randint(2, 17 if rank < 5 else 4)]) if rank > 2 else r.randint(1, 33) for _ in range(rank)]


def unary(op, attributes=None, positive=False, away=None):
    def make(c):
        t = c.randn(*any_shape(c.rng)) * 2
        if positive:
            t = t.abs() + 0.1
        if away is not None:
            # Stay clear of the kinks, where derivatives jump.
            for kink in away:
                t = torch.where((t - kink).abs() < 0.01, t + 0.05, t)
        return c.node(op, [c.parameter(t)], attributes(c.rng) if attributes else {})
    return make


def binary(op, positive=False):
    def make(c):
        r = c.rng
        shape = any_shape(r)
        other = list(shape)
        for axis in range(len(shape)):
            if r.random() < 0.25:
                other[axis] = 1
        if r.random() < 0.3:
            other = other[r.randint(0, len(other)):]
        a, b = c.randn(*shape), c.randn(*other) if other else c.randn(1).reshape(())
        if op in ("gt", "ge", "lt", "le", "eq", "ne", "logical_and", "logical_or"):
            a, b = a.round(), b.round()
        if positive:
            a, b = a.abs() + 0.3, b.abs() + 0.3
        elif op == "div":
            b = torch.where(b.abs() < 0.3, b.sign() * 0.3 + 0.4, b)
        values = [c.parameter(a), c.parameter(b)]
        if r.random() < 0.3 and shape == other:
            values.reverse()
        return c.node(op, values)
    return make


def keeps_gradient(make):
    """Results without a gradient are added to something that has one."""
    def wrapped(c):
        v = make(c)
        other = c.parameter(c.randn(*c.tensors[v].shape) if c.tensors[v].dim() else c.randn(1).reshape(()))
        return c.node("add", [v, other])
    return wrapped


def convolution(c, transposed=False, rank=2):
    r = c.rng
    groups = r.choice([1, 1, 1, 2, 3])
    size = r.choice([1, 2, 3, 3, 3, r.randint(1, 5)])
    kernel = [size] * rank if r.random() < 0.8 else [r.randint(1, 4) for _ in range(rank)]
    stride = r.choice([[1] * rank, [1] * rank, [2] * rank, [r.randint(1, 3) for _ in range(rank)]])
    dilation = r.choice([[1] * rank, [1] * rank, [r.randint(1, 3)] + [r.randint(1, 2) for _ in range(rank - 1)]])
    padding = r.choice([[k // 2 for k in kernel], [0] * rank, [r.randint(0, 2) for _ in range(rank)]])
    cin, cout = groups * r.choice([1, r.randint(1, 5), 16]), groups * r.choice([1, r.randint(1, 5), 16])
    most = 21 if rank < 3 else 9
    while True:
        sizes = [r.choice([1, r.randint(1, most)]) for _ in range(rank - 1)] + [r.randint(1, most)]
        if transposed:
            grown = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in zip(sizes, stride, padding, dilation, kernel)]
            if min(grown) >= 1:
                break
        else:
            room = [n + 2 * p - d * (k - 1) - 1 for n, p, d, k in zip(sizes, padding, dilation, kernel)]
            if min(room) >= 0:
                break
            padding = [p + 1 for p in padding]
    extra = [0] * rank
    if transposed:
        extra = [r.randint(0, max(s, d) - 1) if r.random() < 0.4 else 0 for s, d in zip(stride, dilation)]
    x = c.parameter(c.randn(r.randint(1, 3), cin, *sizes))
    weight = c.randn(cin, cout // groups, *kernel) if transposed else c.randn(cout, cin // groups, *kernel)
    bias = c.parameter(c.randn(cout)) if r.random() < 0.6 else None
    v = c.node("convolution", [x, c.parameter(weight), bias], {
        "stride": stride, "padding": padding, "dilation": dilation, "transposed": transposed, "output_padding": extra,
        "groups": groups})
    return c.node("relu", [v]) if r.random() < 0.3 else v


def linear(c):
    r = c.rng
    shape = [r.randint(1, 6) for _ in range(r.randint(1, 3))]
    i, o = r.randint(1, 20), r.randint(1, 20)
    bias = c.parameter(c.randn(o)) if r.random() < 0.6 else None
    return c.node("linear", [c.parameter(c.randn(*shape, i)), c.parameter(c.randn(o, i)), bias])


def batch_norm(c):
    r = c.rng
    channels = r.choice([1, r.randint(1, 9), 16, 32])
    shape = r.choice([[r.randint(2, 6), channels], [r.randint(1, 3), channels, r.randint(2, 30)],
                      [r.randint(1, 3), channels, r.randint(2, 9), r.randint(1, 9)],
                      [r.randint(1, 2), channels, r.randint(2, 4), r.randint(1, 4), r.randint(1, 5)]])
    if math.prod(shape) == 2 * channels:
        shape[0] += 1  # Two values normalise to ±1: the gradient is a difference of equals, wrong in PyTorch's floats too.
    affine, tracked = r.random() < 0.8, r.random() < 0.8
    training = r.random() < 0.7 or not tracked
    x = c.parameter(c.randn(*shape) * 2 + 0.5)
    weight = c.parameter(c.randn(channels)) if affine else None
    bias = c.parameter(c.randn(channels)) if affine else None
    mean = c.buffer(c.randn(channels)) if tracked else None
    var = c.buffer(c.rand(channels) + 0.5) if tracked else None
    v = c.node("batch_norm", [x, weight, bias, mean, var], {"training": training, "momentum": 0.1, "eps": 1e-5})
    return c.node("relu", [v]) if r.random() < 0.4 else v


def group_norm(c):
    r = c.rng
    groups = r.randint(1, 4)
    channels = groups * r.randint(1, 5)
    shape = [r.randint(1, 3), channels] + [r.randint(3, 6) for _ in range(r.randint(1, 3))]
    affine = r.random() < 0.7
    return c.node("group_norm", [c.parameter(c.randn(*shape)), c.parameter(c.randn(channels)) if affine else None,
                                 c.parameter(c.randn(channels)) if affine else None], {"groups": groups, "eps": 1e-5})


def layer_norm(c):
    r = c.rng
    shape = [r.randint(1, 4) for _ in range(r.randint(0, 3))] + [r.randint(3, 20)]
    count = r.randint(1, min(len(shape), 3))
    norm = shape[-count:]
    affine = r.random() < 0.7
    return c.node("layer_norm", [c.parameter(c.randn(*shape)), c.parameter(c.randn(*norm)) if affine else None,
                                 c.parameter(c.randn(*norm)) if affine else None], {"normalized_shape": norm, "eps": 1e-5})


def prelu(c):
    r = c.rng
    t = image(c)
    return c.node("prelu", [c.parameter(t), c.parameter(c.randn(r.choice([1, t.shape[1]])))])


def softmax(op):
    def make(c):
        t = c.randn(*any_shape(c.rng)) * 2
        return c.node(op, [c.parameter(t)], {"axis": c.rng.randint(-t.dim(), t.dim() - 1)})
    return make


def max_pool(c):
    r = c.rng
    t = image(c, low=5, high=17, channels=17)
    k = [r.randint(1, 3), r.randint(1, 3)] if r.random() < 0.5 else [2, 2]
    stride = r.choice([k, k, [r.randint(1, 3), r.randint(1, 3)]])
    padding = [r.randint(0, k[0] // 2), r.randint(0, k[1] // 2)]
    dilation = r.choice([[1, 1], [1, 1], [2, 2]])
    return c.node("max_pool2d", [c.parameter(t)], {"kernel": k, "stride": stride, "padding": padding,
                                                   "dilation": dilation, "ceil_mode": r.random() < 0.5})


def concatenate(c):
    r = c.rng
    shape = any_shape(r)
    axis = r.randint(-len(shape), len(shape) - 1)
    parts = []
    for _ in range(r.randint(1, 4)):
        part = list(shape)
        part[axis] = r.randint(1, 17)
        v = c.parameter(c.randn(*part))
        parts.append(c.node("tanh", [v]) if r.random() < 0.6 else v)
    if r.random() < 0.2:
        parts.append(parts[0])
    v = c.node("concatenate", parts, {"axis": axis})
    # A skip is used twice: in the concatenation and elsewhere.
    if r.random() < 0.4:
        return c.node("concatenate", [v, c.node("sigmoid", [parts[0]])], {"axis": axis})
    return v


def pad(c):
    r = c.rng
    rank = r.randint(1, 5)
    shape = [r.randint(4, 9 if rank < 5 else 5) for _ in range(rank)]
    pairs = r.randint(1, len(shape))
    low = r.choice([0, -1])
    return c.node("pad", [c.node("tanh", [c.parameter(c.randn(*shape))])], {
        "padding": [r.randint(low, 3) for _ in range(2 * pairs)], "value": r.choice([0, 0, 1.5])})


def slice_(c):
    r = c.rng
    shape = any_shape(r)
    axis = r.randint(-len(shape), len(shape) - 1)
    n = shape[axis]
    start = r.randint(-n, n - 1)
    first = start + n if start < 0 else start
    end = r.choice([(1 << 63) - 1, r.randint(first + 1, n + 2)])
    x = c.node("tanh", [c.parameter(c.randn(*shape))])
    v = c.node("slice", [x], {"axis": axis, "start": start, "end": end, "step": r.randint(1, 3)})
    if r.random() < 0.4:
        return c.node("add", [v, c.node("sum", [x], {"axes": [], "keepdim": False})])
    return v


def select(c):
    r = c.rng
    shape = any_shape(r)
    axis = r.randint(-len(shape), len(shape) - 1)
    return c.node("select", [c.node("tanh", [c.parameter(c.randn(*shape))])],
                  {"axis": axis, "index": r.randint(-shape[axis], shape[axis] - 1)})


def reshape(c):
    r = c.rng
    shape = any_shape(r)
    count = math.prod(shape)
    target = []
    while count > 1 and len(target) < 3:
        divisors = [d for d in range(1, count + 1) if count % d == 0]
        target.append(r.choice(divisors))
        count //= target[-1]
    target.append(count)
    if r.random() < 0.3:
        target[r.randrange(len(target))] = -1
    v = c.node("reshape", [c.node("tanh", [c.parameter(c.randn(*shape))])], {"shape": target})
    return c.node("square", [v]) if r.random() < 0.5 else v


def permute(c):
    r = c.rng
    shape = any_shape(r)
    axes = list(range(len(shape)))
    r.shuffle(axes)
    axes = [a - len(shape) if r.random() < 0.2 else a for a in axes]
    v = c.node("permute", [c.node("tanh", [c.parameter(c.randn(*shape))])], {"axes": axes})
    if r.random() < 0.5:
        return c.node("reshape", [v], {"shape": [-1]})
    return v


def expand(c):
    r = c.rng
    shape = any_shape(r, r.randint(1, 3))
    full = [r.randint(1, 5) if n == 1 else n for n in shape]
    target = [-1 if r.random() < 0.2 else n for n in full]
    target = [n if f == n or n == -1 and s == f else f for n, f, s in zip(target, full, shape)]
    return c.node("expand", [c.parameter(c.randn(*shape))], {"shape": [r.randint(1, 3)] * r.randint(0, 1) + target})


def full(c):
    shape = any_shape(c.rng)
    return c.node("mul", [c.node("full", [], {"shape": shape, "value": 1.25}), c.parameter(c.randn(*shape))])


def where(c):
    shape = any_shape(c.rng)
    condition = c.input((c.rand(*shape) > 0.5).float())
    other = shape if c.rng.random() < 0.5 else [1] * len(shape)
    return c.node("where", [condition, c.parameter(c.randn(*shape)), c.parameter(c.randn(*other))])


def reduction(op):
    def make(c):
        r = c.rng
        shape = any_shape(r)
        t = c.randn(*shape)
        if op in ("amax", "amin") and r.random() < 0.3:
            t = t.round()
        axes = r.choice([[], sorted(r.sample(range(len(shape)), r.randint(1, len(shape))))])
        axes = [a - len(shape) if r.random() < 0.3 else a for a in axes]
        return c.node(op, [c.parameter(t)], {"axes": axes, "keepdim": r.random() < 0.5})
    return make


def argmax(c):
    shape = any_shape(c.rng)
    return c.node("argmax", [c.parameter(c.randn(*shape))],
                  {"axis": c.rng.randint(-len(shape), len(shape) - 1), "keepdim": c.rng.random() < 0.5})


def pointwise_loss(op):
    def make(c):
        r = c.rng
        shape = any_shape(r)
        attributes = {"reduction": r.choice(["mean", "sum", "none"])}
        x, target = c.randn(*shape) * 2, c.rand(*shape)
        operands = []
        if op == "binary_cross_entropy":
            operands = [c.parameter(torch.sigmoid(x)), c.parameter(target)]
        else:
            operands = [c.parameter(x), c.parameter(target)]
        if op.startswith("binary"):
            operands.append(c.input(c.rand(*shape)) if r.random() < 0.4 else None)
        if op == "binary_cross_entropy_with_logits":
            operands.append(c.input(c.rand(*(r.choice([[1], shape[-1:]]))) * 3) if r.random() < 0.5 else None)
        if op == "smooth_l1_loss":
            attributes["beta"] = r.choice([1.0, 0.5])
        return c.node(op, operands, attributes)
    return make


def nll(c):
    r = c.rng
    classes = r.randint(2, 5)
    rest = [r.randint(1, 6) for _ in range(r.choice([0, 1, 2]))]
    n = r.randint(2, 4)
    x = c.node("log_softmax", [c.parameter(c.randn(n, classes, *rest))], {"axis": 1})
    target = torch.randint(0, classes, (n, *rest), generator=c.generator)
    ignore = r.choice([-100, 1])
    target.view(-1)[0] = 0
    weight = c.input(c.rand(classes) + 0.1) if r.random() < 0.4 else None
    return c.node("nll_loss", [x, c.input(target.float(), "int64"), weight],
                  {"reduction": r.choice(["mean", "sum", "none"]), "ignore_index": ignore})


def scalar(op, low=-3, high=3, positive=False):
    return unary(op, lambda r: {"scalar": r.choice([r.uniform(low, high), float(r.randint(1, 3))])}, positive)


MAKERS = {
    "convolution": convolution, "transposed_convolution": lambda c: convolution(c, True),
    "convolution1d": lambda c: convolution(c, rank=1), "transposed_convolution1d": lambda c: convolution(c, True, 1),
    "convolution3d": lambda c: convolution(c, rank=3), "transposed_convolution3d": lambda c: convolution(c, True, 3),
    "linear": linear,
    "batch_norm": batch_norm, "group_norm": group_norm, "layer_norm": layer_norm, "prelu": prelu,
    "softmax": softmax("softmax"), "log_softmax": softmax("log_softmax"), "max_pool2d": max_pool,
    "concatenate": concatenate, "pad": pad, "slice": slice_,
    "select": select, "reshape": reshape, "permute": permute, "expand": expand, "full": full, "where": where,
    "argmax": keeps_gradient(argmax), "nll_loss": nll,
    "leaky_relu": unary("leaky_relu", lambda r: {"negative_slope": r.uniform(0, 0.5)}),
    "elu": unary("elu", lambda r: {"alpha": r.uniform(0.5, 2)}),
    "gelu": unary("gelu", lambda r: {"approximate": r.choice(["none", "tanh"])}),
    "softplus": unary("softplus", lambda r: {"beta": r.uniform(0.5, 3), "threshold": r.choice([20, 2])}),
    "hardtanh": unary("hardtanh", lambda r: {"min": -r.uniform(0.2, 2), "max": r.uniform(0.2, 6)}),
    "clamp": unary("clamp", lambda r: r.choice([{"min": -0.5}, {"max": 0.7}, {"min": -0.5, "max": 0.7}])),
    "cast": keeps_gradient(unary("cast", lambda r: {"dtype": r.choice(["int64", "bool"])})),
    "detach": keeps_gradient(unary("detach")), "logical_not": keeps_gradient(unary("logical_not")),
    "sign": keeps_gradient(unary("sign")), "floor": keeps_gradient(unary("floor")),
    "round": keeps_gradient(unary("round")),
    "pow": binary("pow", positive=True), "pow_scalar": scalar("pow_scalar", positive=True),
    "rdiv_scalar": scalar("rdiv_scalar", positive=True), "div_scalar": scalar("div_scalar", 0.2, 3),
}
for name in ("relu", "sigmoid", "tanh", "silu", "mish", "hardswish", "hardsigmoid", "log_sigmoid", "neg", "abs", "exp",
             "square", "identity"):
    MAKERS[name] = unary(name)
for name in ("log", "log1p", "sqrt", "rsqrt", "reciprocal"):
    MAKERS[name] = unary(name, positive=True)
for name in ("add", "sub", "mul", "div", "minimum", "maximum"):
    MAKERS[name] = binary(name)
for name in ("add_scalar", "mul_scalar", "rsub_scalar"):
    MAKERS[name] = scalar(name)
for name in ("gt", "ge", "lt", "le", "eq", "ne"):
    MAKERS[name] = keeps_gradient(binary(name))
    MAKERS[name + "_scalar"] = keeps_gradient(scalar(name + "_scalar"))
for name in ("logical_and", "logical_or"):
    MAKERS[name] = keeps_gradient(binary(name))
for name in ("sum", "mean", "amax", "amin"):
    MAKERS[name] = reduction(name)
for name in ("binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss", "smooth_l1_loss"):
    MAKERS[name] = pointwise_loss(name)
MAKERS.update(op_families.MAKERS)


def double(case):
    """The values of a case in double precision, its parameters as leaves, and what its operations make of them."""
    env = {v: t.double() for v, t in case.tensors.items()}
    leaves = {p["value"]: env[p["value"]].clone().requires_grad_(True) for p in case.parameters}
    return env, leaves


def gradcheck(name, seed, index):
    """Compares the gradients of the reference itself with finite differences."""
    c = Case(random.Random(f"{seed}-{name}-{index}"))
    result = MAKERS[name](c)
    env, leaves = double(c)

    def function(*tensors):
        values = {**env, **dict(zip(leaves, tensors))}
        for node in c.nodes:
            values[node["outputs"][0]] = execute(node, [None if i is None else values[i] for i in node["inputs"]])
        return values[result]

    torch.autograd.gradcheck(function, list(leaves.values()))


def reference(name, seed, index):
    """A graph, and its tensors: what goes in, and loss, result, gradients and running statistics that come out."""
    c = Case(random.Random(f"{seed}-{name}-{index}"))
    result = MAKERS[name](c)
    loss = c.loss(result)
    constants = []
    graph = {"schema": 1, "kind": "train", "batch": 1, "values": c.values, "inputs": c.inputs, "parameters": c.parameters,
             "buffers": c.buffers, "constants": constants, "nodes": c.nodes, "outputs": {"loss": loss}}
    # Reference in double precision: the yardstick is the mathematics, not the rounding of another float32 implementation.
    env, leaves = double(c)
    env.update(leaves)
    extra = {}
    for node in c.nodes:
        env[node["outputs"][0]] = execute(node, [None if i is None else env[i] for i in node["inputs"]])
        if "running" in node:
            running = node.pop("running")
            if node["attributes"].get("training", node["attributes"].get("use_input_stats")):
                for v, t in zip(node["inputs"][3:5], running):
                    if v is not None:
                        extra[f"buffer.{[b['name'] for b in c.buffers if b['value'] == v][0]}"] = t
    env[loss].backward()
    tensors = {"loss": env[loss].detach().reshape(()), "result": env[result].detach()}
    for group in (c.inputs, c.parameters, c.buffers):
        for binding in group:
            tensors["in." + binding["name"]] = c.tensors[binding["value"]].detach()
    for p in c.parameters:
        if leaves[p["value"]].grad is not None:
            tensors["grad." + p["name"]] = leaves[p["value"]].grad
    tensors.update(extra)
    return graph, {k: t.float().contiguous().clone() for k, t in tensors.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--op", action="append")
    parser.add_argument("--gradcheck", action="store_true")
    parser.add_argument("out", type=pathlib.Path, nargs="?")
    arguments = parser.parse_args()
    if arguments.gradcheck:
        for name in arguments.op or op_families.COMPOSED:
            for index in range(arguments.count):
                gradcheck(name, arguments.seed, index)
            print(name)
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    names = arguments.op or sorted(MAKERS)
    for index in range(arguments.count):
        cases = {name: reference(name, arguments.seed, index) for name in names}
        (arguments.out / f"graphs-{index}.json").write_text(
            json.dumps({name: graph for name, (graph, _) in cases.items()}, separators=(",", ":")))
        save_file({f"{name}/{key}": tensor for name, (_, tensors) in cases.items() for key, tensor in tensors.items()},
                  str(arguments.out / f"graphs-{index}.safetensors"))


if __name__ == "__main__":
    main()
