"""Operations of `op_reference.py` by family: how PyTorch computes each, and random configurations of it.

`REFERENCES` maps an operation to a function of the operands and the attributes. Losses that PyTorch lacks are formulas in its plain
operations, with the paper that they are from; `op_reference.py --gradcheck` compares their gradients with finite differences in
double precision. `MAKERS` maps an operation to a function that adds a random configuration of it to a case.
"""

import math

import torch
import torch.nn.functional as F


def operand(c, tensor):
    """A parameter as a value: as it is, computed, or a view of something that lies otherwise in memory."""
    r, rank = c.rng, tensor.dim()
    kind = r.choice(["plain", "plain", "computed", "permuted", "slice"]) if rank else "plain"
    if kind == "permuted":
        axes = list(range(rank))
        r.shuffle(axes)
        return c.node("permute", [c.parameter(tensor.permute(*axes))], {"axes": [axes.index(a) for a in range(rank)]})
    if kind == "slice":
        axis = r.randrange(rank)
        wide = list(tensor.shape)
        wide[axis] = 2 * wide[axis] + 1
        whole = c.randn(*wide)
        whole.narrow(axis, 0, 2 * tensor.shape[axis])[
            tuple(slice(1, None, 2) if a == axis else slice(None) for a in range(rank))] = tensor
        return c.node("slice", [c.parameter(whole)], {"axis": axis, "start": 1, "end": 2 * tensor.shape[axis], "step": 2})
    v = c.parameter(tensor)
    return c.node("identity" if kind == "plain" else "add_scalar", [v], {} if kind == "plain" else {"scalar": 0.25})


def spatial(c, axes, low=1, high=9, single=True):
    """A random N C … (or, with `single`, sometimes C …) with so many spatial axes."""
    r = c.rng
    high = min(high, {1: 33, 2: 11, 3: 6}[axes])
    shape = [r.choice([1, r.randint(1, 5), 16, 17]) if axes < 3 else r.randint(1, 4)]
    if not single or r.random() < 0.8:
        shape = [r.randint(1, 3)] + shape
    return c.randn(*shape, *[r.choice([low, r.randint(low, max(high, low))]) for _ in range(axes)])


# Padding

def pad_mode(c):
    r = c.rng
    axes, mode = r.randint(1, 3), r.choice(["reflect", "replicate", "circular"])
    t = spatial(c, axes, low=2)
    padding = []
    for n in reversed(t.shape[-axes:]):
        most = {"reflect": n - 1, "replicate": n + 4, "circular": n}[mode]
        before = r.choice([0, r.randint(0, most)])
        after = r.choice([0, r.randint(0, most)])
        if r.random() < 0.15:
            before, after = -r.randint(0, n - 1), 0
        padding += [before, after]
    return c.node("pad", [operand(c, t)], {"padding": padding, "mode": mode})


# Pooling

def windows(c, axes, dilated):
    r = c.rng
    low = {1: 5, 2: 4, 3: 3}[axes]
    t = spatial(c, axes, low=low)
    k = [r.randint(1, 3 if axes == 3 else 4) for _ in range(axes)]
    k = [min(n, low) for n in k]
    dilation = [r.choice([1, 1, 2]) if dilated else 1 for _ in range(axes)]
    dilation = [d if d * (n - 1) + 1 <= low else 1 for d, n in zip(dilation, k)]
    a = {"kernel": k, "stride": r.choice([k, [r.randint(1, 3) for _ in k]]), "padding": [r.randint(0, n // 2) for n in k],
         "ceil_mode": r.random() < 0.5}
    if dilated:
        a["dilation"] = dilation
    return t, a


def max_pool(axes):
    def make(c):
        t, a = windows(c, axes, dilated=True)
        if c.rng.random() < 0.2:
            t = t.round()
        return c.node(f"max_pool{axes}d", [operand(c, t)], a)
    return make


def avg_pool(axes):
    def make(c):
        t, a = windows(c, axes, dilated=False)
        a["count_include_pad"] = c.rng.random() < 0.5
        if axes > 1 and c.rng.random() < 0.3:
            a["divisor_override"] = c.rng.choice([1, 3, 7])
        return c.node(f"avg_pool{axes}d", [operand(c, t)], a)
    return make


def adaptive_pool(op, axes):
    def make(c):
        r = c.rng
        size = r.choice([[1] * axes, [r.randint(1, 6) for _ in range(axes)]])
        return c.node(f"{op}{axes}d", [operand(c, spatial(c, axes))], {"output_size": size})
    return make


def pooled(function, *names):
    # PyTorch's pooling refuses some views of volumes ("Unsupported memory format"); the gradient reaches the view all the same.
    return lambda x, a: function(x[0].contiguous(), *[a[n] for n in names])


def avg_pool_reference(function):
    def run(x, a):
        extra = [a["divisor_override"]] if "divisor_override" in a else []
        return function(x[0], a["kernel"], a["stride"], a["padding"], a["ceil_mode"], a["count_include_pad"], *extra)
    return run


# Interpolation

def upsample(op, axes):
    def make(c):
        r = c.rng
        t = spatial(c, axes, single=False)
        a = {"output_size": [r.randint(1, 25 if axes < 3 else 9) for _ in range(axes)], "scale": None}
        if r.random() < 0.6:
            scale = [r.choice([2.0, 2.0, 1.5, 3.0, 0.5]) for _ in range(axes)]
            sizes = [int(math.floor(n * s)) for n, s in zip(t.shape[2:], scale)]
            if min(sizes) >= 1:
                a = {"output_size": sizes, "scale": scale}
        if "nearest" not in op:
            a["align_corners"] = r.random() < 0.5
            if a["align_corners"]:
                a["scale"] = None
        return c.node(op, [operand(c, t)], a)
    return make


def upsample_reference(op, axes):
    function = getattr(torch._C._nn, ("_" if "exact" in op else "") + op)

    def run(x, a):
        scale = a.get("scale") or [None] * axes
        aligned = [] if "nearest" in op else [a["align_corners"]]
        return function(x[0], a["output_size"], *aligned, *scale)
    return run


# Normalization

def instance_norm(c):
    r = c.rng
    axes = r.randint(1, 3)
    t = spatial(c, axes, low=3, single=False) * 2 + 0.5
    channels = t.shape[1]
    own, tracked, affine = r.random() < 0.8, r.random() < 0.6, r.random() < 0.6
    tracked = tracked or not own
    weight = c.parameter(c.randn(channels)) if affine else None
    bias = c.parameter(c.randn(channels)) if affine else None
    mean = c.buffer(c.randn(channels)) if tracked else None
    variance = c.buffer(c.rand(channels) + 0.5) if tracked else None
    return c.node("instance_norm", [operand(c, t), weight, bias, mean, variance],
                  {"use_input_stats": own, "momentum": r.choice([0.1, 0.3]), "eps": 1e-5})


# Matrices

def matmul(c):
    r = c.rng
    m, k, n = (r.choice([1, r.randint(1, 20)]) for _ in range(3))
    kind = r.choice(["matrices", "batched", "broadcast", "broadcast", "vector"])
    batch = [r.randint(1, 4) for _ in range(r.randint(1, 3))]
    left = [*batch, m, k] if kind != "matrices" else [m, k]
    right = {"matrices": [k, n], "batched": [*batch, k, n],
             "broadcast": [*[n_ if r.random() < 0.5 else 1 for n_ in batch[r.randint(0, len(batch)):]], k, n],
             "vector": [k]}[kind]
    if kind == "vector" and r.random() < 0.5:
        left, right = [k], [*batch, k, n] if r.random() < 0.7 else [k]
    if kind == "broadcast" and r.random() < 0.3:
        left, right = [m, k], [*batch, k, n]
    return c.node("matmul", [operand(c, c.randn(*left)), operand(c, c.randn(*right))])


def einsum(c):
    r = c.rng
    equation = r.choice(["bhid,bhjd->bhij", "bhij,bhjd->bhid", "ij,jk->ik", "ij,kj", "bchw,cd->bdhw", "bij,bij->b", "i,j->ij",
                         "bnc,bmc->bnm", "ab,cd->", "ijk->kj", "ij->", "ij", "ijk,il->lk", "ba", "ij,ij->ij",
                         "nchw,nkhw->nck", "ij,k->ki"])
    sizes = {letter: r.randint(1, 6) for letter in "abcdhijklmnw"}
    sides = equation.split("->")[0].split(",")
    return c.node("einsum", [operand(c, c.randn(*[sizes[n] for n in side])) for side in sides], {"equation": equation})


def attention(c):
    r = c.rng
    batch = [r.randint(1, 3) for _ in range(r.randint(0, 2))]
    length, source, width, value = (r.randint(1, 9) for _ in range(4))
    q, k = c.randn(*batch, length, width), c.randn(*batch, source, width)
    v = c.randn(*batch, source, value)
    kind = r.choice(["none", "causal", "bool", "float"])
    a = {"is_causal": kind == "causal"}
    if r.random() < 0.5:
        a["scale"] = r.choice([0.3, 1.0])
    inputs, extra = [operand(c, q), operand(c, k), operand(c, v)], {}
    shape = r.choice([[length, source], [*batch, length, source], [1, source]])
    if kind == "bool":
        inputs.append(c.input((c.rand(*shape) > 0.3).float(), "bool"))
        extra = {"boolean": True}
    elif kind == "float":
        inputs.append(operand(c, c.randn(*shape)))
    return c.node("scaled_dot_product_attention", inputs, a, extra)


def attention_reference(x, a, node):
    mask = x[3] if len(x) > 3 else None
    if node.get("boolean"):
        mask = mask != 0
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        return F.scaled_dot_product_attention(x[0], x[1], x[2], mask, 0.0, a["is_causal"], scale=a.get("scale"))


# Shapes, statistics, positions

def shape_of(r, low=1, high=7, ranks=(1, 5)):
    rank = r.randint(*ranks)
    return [r.choice([1, r.randint(low, high)]) if rank < 5 else r.randint(low, 3) for _ in range(rank)]


def along(op, attributes=lambda r, n: {}, tensor=None):
    def make(c):
        r = c.rng
        shape = shape_of(r, ranks=(1, 4))
        t = tensor(c, shape) if tensor else c.randn(*shape)
        axis = r.randint(-len(shape), len(shape) - 1)
        return c.node(op, [operand(c, t)], {"axis": axis, **attributes(r, shape[axis])})
    return make


def distinct(c, shape):
    """Numbers that are far enough apart to have one order in any precision."""
    count = math.prod(shape)
    return (torch.randperm(count, generator=c.generator).float() / count * 4 - 2).reshape(shape)


def reduced(op, attributes=lambda r: {}):
    def make(c):
        r = c.rng
        shape = shape_of(r, low=2)
        t = c.randn(*shape)
        if op == "prod" and r.random() < 0.4:
            t = torch.where(c.rand(*shape) < 0.15, 0.0, t)
        axes = r.choice([[], sorted(r.sample(range(len(shape)), r.randint(1, len(shape))))])
        if op != "prod" and math.prod(shape[a] for a in axes or range(len(shape))) < 3:
            shape = [3, 4]
            t, axes = c.randn(*shape), [r.randint(0, 1)]
        if op == "prod":
            t = t / t.abs().clamp(min=0.5)
        axes = [a - len(shape) if r.random() < 0.3 else a for a in axes]
        return c.node(op, [operand(c, t)], {"axes": axes, "keepdim": r.random() < 0.5, **attributes(r)})
    return make


def prod_reference(x, a):
    y = x[0]
    for axis in sorted((n % y.dim() for n in a["axes"] or range(y.dim())), reverse=True):
        y = y.prod(axis, keepdim=a["keepdim"])
    return y


def variance_reference(function):
    return lambda x, a: function(x[0], dim=a["axes"] or None, correction=a["correction"], keepdim=a["keepdim"])


def flip(c):
    r = c.rng
    shape = shape_of(r)
    axes = r.sample(range(len(shape)), r.randint(1, len(shape)))
    v = c.node("flip", [operand(c, c.randn(*shape))], {"axes": axes})
    return c.node("reshape", [v], {"shape": [-1]}) if r.random() < 0.4 else v


def roll(c):
    r = c.rng
    shape = shape_of(r)
    axes = r.sample(range(len(shape)), r.randint(0, len(shape)))
    shifts = [r.randint(-9, 9) for _ in axes] if axes else [r.randint(-9, 9)]
    return c.node("roll", [operand(c, c.randn(*shape))], {"shifts": shifts, "axes": axes})


def repeat(c):
    r = c.rng
    shape = shape_of(r, ranks=(1, 4))
    return c.node("repeat", [operand(c, c.randn(*shape))],
                  {"repeats": [r.randint(1, 3) for _ in range(r.randint(0, 1) + len(shape))]})


def stack(c):
    r = c.rng
    shape = shape_of(r, ranks=(1, 4))
    return c.node("stack", [operand(c, c.randn(*shape)) for _ in range(r.randint(1, 4))],
                  {"axis": r.randint(-len(shape) - 1, len(shape))})


def shuffle(op):
    def make(c):
        r = c.rng
        n, k, h, w, f = r.randint(1, 2), r.randint(1, 4), r.randint(1, 5), r.randint(1, 5), r.randint(1, 3)
        t = c.randn(n, k * f * f, h, w) if op == "pixel_shuffle" else c.randn(n, k, h * f, w * f)
        return c.node(op, [operand(c, t)], {"factor": f})
    return make


def triangle(op):
    def make(c):
        r = c.rng
        return c.node(op, [operand(c, c.randn(*shape_of(r, ranks=(2, 4))))], {"diagonal": r.randint(-3, 3)})
    return make


def gather(c):
    r = c.rng
    shape = shape_of(r, ranks=(1, 4))
    axis = r.randint(-len(shape), len(shape) - 1)
    size = [r.randint(1, n) for n in shape]
    size[axis] = r.randint(1, 9)
    index = torch.randint(0, shape[axis], size, generator=c.generator)
    return c.node("gather", [operand(c, c.randn(*shape)), c.input(index.float(), "int64")], {"axis": axis})


def index_select(c):
    r = c.rng
    shape = shape_of(r, ranks=(1, 4))
    axis = r.randint(-len(shape), len(shape) - 1)
    index = torch.randint(0, shape[axis], (r.randint(1, 9),), generator=c.generator)
    return c.node("index_select", [operand(c, c.randn(*shape)), c.input(index.float(), "int64")], {"axis": axis})


def with_gradient(make):
    """Results without a gradient are added to something that has one."""
    def wrapped(c):
        v = make(c)
        return c.node("add", [v, c.parameter(c.randn(*c.tensors[v].shape))])
    return wrapped


def one_hot(c):
    classes = c.rng.randint(2, 5)
    shape = shape_of(c.rng, ranks=(1, 3))
    return c.node("one_hot", [c.input(torch.randint(0, classes, shape, generator=c.generator).float(), "int64")],
                  {"classes": classes})


def arange(c):
    r = c.rng
    return c.node("arange", [], {"start": r.randint(-3, 3), "step": r.choice([1, 2, 0.5]), "size": r.randint(1, 20)})


# Losses

def logits(c, high=5):
    r = c.rng
    classes = r.randint(2, 4)
    return c.randn(r.randint(1, 3), classes, *[r.randint(1, high) for _ in range(r.randint(1, 3))]) * 2


def cross_entropy(c):
    r = c.rng
    classes = r.randint(2, 5)
    rest = [r.randint(1, 5) for _ in range(r.choice([0, 1, 2, 3]))]
    single = not rest and r.random() < 0.4
    shape = [classes] if single else [r.randint(1, 4), classes, *rest]
    a = {"reduction": r.choice(["mean", "sum", "none"]), "label_smoothing": r.choice([0.0, 0.0, 0.1, 0.3])}
    if r.random() < 0.4:
        target = operand(c, torch.softmax(c.randn(*shape), 0 if single else 1))
    else:
        index = torch.randint(0, classes, shape[:-1] if single else [shape[0], *rest], generator=c.generator)
        if index.dim():
            index.view(-1)[0] = 0
            a["ignore_index"] = r.choice([-100, 1])
        target = c.input(index.float(), "int64")
    weight = c.input(c.rand(classes) + 0.1) if r.random() < 0.4 else None
    return c.node("cross_entropy", [operand(c, c.randn(*shape) * 2), target, weight], a)


def cross_entropy_reference(x, a):
    target = x[1] if x[1].shape == x[0].shape else x[1].long()
    return F.cross_entropy(x[0], target, x[2], ignore_index=a.get("ignore_index", -100), reduction=a["reduction"],
                           label_smoothing=a["label_smoothing"])


def overlap_loss(op):
    def make(c):
        r = c.rng
        t = logits(c)
        p = c.node("sigmoid", [operand(c, t)])
        target = (c.rand(*t.shape) > 0.6).float()
        target = c.input(target) if r.random() < 0.7 else operand(c, c.rand(*t.shape))
        a = {"batch": r.random() < 0.5, "smooth": r.choice([1.0, 1e-5, 0.1]), "reduction": r.choice(["mean", "mean", "none"])}
        if op == "dice_loss":
            a["squared"] = r.random() < 0.4
        else:
            a.update(alpha=r.choice([0.3, 0.5]), beta=r.choice([0.7, 0.5]), gamma=r.choice([1, 1, 0.75, 2]))
        return c.node(op, [p, target], a)
    return make


def axes_of(x, a):
    return ([0] if a["batch"] else []) + list(range(2, x.dim()))


def reduced_by(t, a):
    return {"mean": t.mean, "sum": t.sum, "none": lambda: t}[a["reduction"]]()


def dice_loss_reference(x, a):
    """Sudre et al. 2017; squared: Milletari et al. 2016, "V-Net"."""
    p, t = x
    axes = axes_of(p, a)
    power = 2 if a["squared"] else 1
    overlap = (p * t).sum(axes)
    sizes = (p**power).sum(axes) + (t**power).sum(axes)
    return reduced_by(1 - (2 * overlap + a["smooth"]) / (sizes + a["smooth"]), a)


def tversky_loss_reference(x, a):
    """Salehi et al. 2017; gamma: Abraham and Khan 2019."""
    p, t = x
    axes = axes_of(p, a)
    hits, extra, missed = (p * t).sum(axes), (p * (1 - t)).sum(axes), ((1 - p) * t).sum(axes)
    index = (hits + a["smooth"]) / (hits + a["alpha"] * extra + a["beta"] * missed + a["smooth"])
    return reduced_by((1 - index) ** a["gamma"], a)


def focal_loss(c):
    r = c.rng
    t = logits(c)
    a = {"alpha": r.choice([0.25, 0.6, -1]), "gamma": r.choice([2, 2.0, 1.5, 0]), "reduction": r.choice(["mean", "sum", "none"])}
    return c.node("focal_loss", [operand(c, t), c.input((c.rand(*t.shape) > 0.5).float())], a)


def focal_loss_reference(x, a):
    """Lin et al. 2017, "Focal loss for dense object detection"."""
    p = torch.sigmoid(x[0])
    right = p * x[1] + (1 - p) * (1 - x[1])
    loss = F.binary_cross_entropy_with_logits(x[0], x[1], reduction="none") * (1 - right) ** a["gamma"]
    if a["alpha"] >= 0:
        loss = loss * (a["alpha"] * x[1] + (1 - a["alpha"]) * (1 - x[1]))
    return reduced_by(loss, a)


def dice_cross_entropy(c):
    r = c.rng
    axes, classes, batch = r.randint(2, 3), r.randint(2, 4), r.randint(1, 3)
    sizes = [r.choice([4, 8]) for _ in range(axes)]
    inputs = []
    scales = r.randint(1, 3)
    for scale in range(scales):
        shape = [max(n >> scale, 1) for n in sizes]
        inputs.append(operand(c, c.randn(batch, classes, *shape)))
        channel = [1] if r.random() < 0.5 else []
        inputs.append(c.input(torch.randint(0, classes, (batch, *channel, *shape), generator=c.generator).float(), "int64"))
    a = {"batch": r.random() < 0.5, "background": r.random() < 0.4, "smooth": r.choice([1e-5, 1.0])}
    if r.random() < 0.4:
        a["weights"] = [r.choice([0.5, 1.0, 0.25]) for _ in range(scales)]
    if r.random() < 0.3:
        a.update(ce_weight=0.5, dice_weight=2.0)
    return c.node("dice_cross_entropy_loss", inputs, a)


def dice_cross_entropy_reference(x, a):
    """Isensee et al. 2021, "nnU-Net", supplement: Dice + cross entropy, deep supervision with halved weights."""
    pairs = list(zip(x[0::2], x[1::2]))
    weights = [0.5**i for i in range(len(pairs))]
    if len(pairs) > 1:
        weights[-1] = 0
    weights = a.get("weights", [w / sum(weights) for w in weights])
    total = 0
    for weight, (scores, target) in zip(weights, pairs):
        if weight == 0:
            continue
        labels = target.reshape(scores.shape[0], *scores.shape[2:]).long()
        truth = F.one_hot(labels, scores.shape[1]).movedim(-1, 1).to(scores.dtype)
        p = torch.softmax(scores, 1)
        if not a["background"]:
            p, truth = p[:, 1:], truth[:, 1:]
        axes = axes_of(scores, a)
        dice = (2 * (p * truth).sum(axes) + a["smooth"]) / (p.sum(axes) + truth.sum(axes) + a["smooth"]).clamp(min=1e-8)
        total = total + weight * (a.get("ce_weight", 1) * F.cross_entropy(scores, labels) - a.get("dice_weight", 1) * dice.mean())
    return total


REFERENCES = {
    "einsum": lambda x, a: torch.einsum(a["equation"], *x),
    "gather": lambda x, a: torch.gather(x[0], a["axis"], x[1].long()),
    "index_select": lambda x, a: torch.index_select(x[0], a["axis"], x[1].long()),
    "topk": lambda x, a: torch.topk(x[0], a["k"], a["axis"], a["largest"])[0],
    "topk_indices": lambda x, a: torch.topk(x[0], a["k"], a["axis"], a["largest"])[1].to(x[0].dtype),
    "argmin": lambda x, a: torch.argmin(x[0], a["axis"], a["keepdim"]).to(x[0].dtype),
    "one_hot": lambda x, a: F.one_hot(x[0].long(), a["classes"]).to(x[0].dtype),
    "arange": lambda x, a: a["start"] + torch.arange(a["size"]) * float(a["step"]),
    "cumsum": lambda x, a: torch.cumsum(x[0], a["axis"]),
    "prod": prod_reference,
    "var": variance_reference(torch.var),
    "std": variance_reference(torch.std),
    "flip": lambda x, a: torch.flip(x[0], a["axes"]),
    "roll": lambda x, a: torch.roll(x[0], a["shifts"], a["axes"]) if a["axes"] else torch.roll(x[0], a["shifts"][0]),
    "repeat": lambda x, a: x[0].repeat(a["repeats"]),
    "stack": lambda x, a: torch.stack(x, a["axis"]),
    "pixel_shuffle": lambda x, a: F.pixel_shuffle(x[0], a["factor"]),
    "pixel_unshuffle": lambda x, a: F.pixel_unshuffle(x[0], a["factor"]),
    "tril": lambda x, a: torch.tril(x[0], a["diagonal"]),
    "triu": lambda x, a: torch.triu(x[0], a["diagonal"]),
    "cross_entropy": cross_entropy_reference,
    "dice_loss": dice_loss_reference,
    "tversky_loss": tversky_loss_reference,
    "focal_loss": focal_loss_reference,
    "dice_cross_entropy_loss": dice_cross_entropy_reference,
}
MAKERS = {
    "pad_mode": pad_mode, "instance_norm": instance_norm, "matmul": matmul, "einsum": einsum,
    "scaled_dot_product_attention": attention, "gather": gather, "index_select": index_select,
    "topk": along("topk", lambda r, n: {"k": r.randint(1, n), "largest": r.random() < 0.6}, distinct),
    "topk_indices": with_gradient(
        along("topk_indices", lambda r, n: {"k": r.randint(1, n), "largest": r.random() < 0.6}, distinct)),
    "argmin": with_gradient(along("argmin", lambda r, n: {"keepdim": r.random() < 0.5})),
    "one_hot": with_gradient(one_hot), "arange": with_gradient(arange), "cumsum": along("cumsum"), "prod": reduced("prod"),
    "var": reduced("var", lambda r: {"correction": r.choice([0, 1])}),
    "std": reduced("std", lambda r: {"correction": r.choice([0, 1])}),
    "flip": flip, "roll": roll, "repeat": repeat, "stack": stack, "pixel_shuffle": shuffle("pixel_shuffle"),
    "pixel_unshuffle": shuffle("pixel_unshuffle"), "tril": triangle("tril"), "triu": triangle("triu"),
    "cross_entropy": cross_entropy, "dice_loss": overlap_loss("dice_loss"), "tversky_loss": overlap_loss("tversky_loss"),
    "focal_loss": focal_loss, "dice_cross_entropy_loss": dice_cross_entropy,
}
for n in (1, 2, 3):
    for op in ("adaptive_avg_pool", "adaptive_max_pool"):
        REFERENCES[f"{op}{n}d"] = pooled(getattr(F, f"{op}{n}d"), "output_size")
        MAKERS[f"{op}{n}d"] = adaptive_pool(op, n)
    REFERENCES[f"avg_pool{n}d"] = avg_pool_reference(getattr(F, f"avg_pool{n}d"))
    MAKERS[f"avg_pool{n}d"] = avg_pool(n)
    for op in ("upsample_nearest", "upsample_nearest_exact"):
        REFERENCES[f"{op}{n}d"] = upsample_reference(f"{op}{n}d", n)
        MAKERS[f"{op}{n}d"] = upsample(f"{op}{n}d", n)
for n in (1, 3):
    REFERENCES[f"max_pool{n}d"] = pooled(getattr(F, f"max_pool{n}d"), "kernel", "stride", "padding", "dilation", "ceil_mode")
    MAKERS[f"max_pool{n}d"] = max_pool(n)
for op, n in (("upsample_linear1d", 1), ("upsample_bilinear2d", 2), ("upsample_trilinear3d", 3), ("upsample_bicubic2d", 2)):
    REFERENCES[op] = upsample_reference(op, n)
    MAKERS[op] = upsample(op, n)
# What PyTorch does not have as one function.
COMPOSED = ("dice_loss", "tversky_loss", "focal_loss", "dice_cross_entropy_loss")
