"""Reference values for the eager layers of TensorRuntime, computed by PyTorch.

    eager_reference.py operations SEED COUNT FOLDER       functions, forward and all gradients: operations-INDEX.safetensors
    eager_reference.py layers SEED COUNT FOLDER           layers in training and evaluation: layers-INDEX.safetensors
    eager_reference.py initialization SEED COUNT FOLDER   samples of torch.nn.init, COUNT numbers each
    eager_reference.py unet SEED COUNT FOLDER             a U-Net of COUNT channels: state, output, gradients, 20 Adam steps
    eager_reference.py reload FOLDER                      PyTorch's output of the weights in saved.safetensors
    eager_reference.py slices DATASET FOLDER              some embedded slices at half resolution, as bytes
    eager_reference.py store FOLDER                       what the tests use where there is no PyTorch, with seed 1

The stored values are remade by: eager_reference.py store Tests/Fixtures/runtime/stored
"""

import pathlib
import random
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file


class Draw:
    """Shapes and values of one case."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.generator = torch.Generator().manual_seed(self.rng.randrange(1 << 40))

    def size(self, low, high):
        return self.rng.randint(low, high)

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def positive(self, *shape):
        return torch.rand(*shape, generator=self.generator) * 0.8 + 0.1

    def target(self, *shape):
        return (torch.rand(*shape, generator=self.generator) > 0.5).float()

    def classes(self, count, *shape):
        return torch.randint(count, shape, generator=self.generator).float()

    def volume(self, channels=None):
        return self.normal(self.size(1, 2), channels or self.size(1, 3), *[self.size(3, 5) for _ in range(3)])

    def image(self, channels=None):
        return self.normal(self.size(1, 3), channels or self.size(1, 5), self.size(4, 9), self.size(4, 9))


def soft_dice(p, t, smoothing, axes, power=1):
    """Sudre et al. 2017; with squares Milletari et al. 2016."""
    intersection, total = (p * t).sum(axes), (p**power).sum(axes) + (t**power).sum(axes)
    return (1 - (2 * intersection + smoothing) / (total + smoothing)).mean()


def dice_cross_entropy(x, t):
    """Isensee et al. 2021: cross entropy less the soft Dice of the classes but the background."""
    labels = t.reshape(x.shape[0], *x.shape[2:]).long()
    truth = F.one_hot(labels, x.shape[1]).movedim(-1, 1).float()[:, 1:]
    p = torch.softmax(x, 1)[:, 1:]
    dice = (2 * (p * truth).sum((2, 3)) + 1e-5) / (p.sum((2, 3)) + truth.sum((2, 3)) + 1e-5)
    return F.cross_entropy(x, labels) - dice.mean()


def tversky(p, t, alpha, beta, smoothing, gamma=1):
    hits, misses, alarms = (p * t).sum((2, 3)), ((1 - p) * t).sum((2, 3)), (p * (1 - t)).sum((2, 3))
    return (1 - (hits + smoothing) / (hits + alpha * alarms + beta * misses + smoothing)).pow(gamma).mean()


def focal(x, t, alpha, gamma):
    entropy = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    p = torch.sigmoid(x)
    p_t = p * t + (1 - p) * (1 - t)
    return ((alpha * t + (1 - alpha) * (1 - t)) * entropy * (1 - p_t) ** gamma).mean()


def unary(function):
    return lambda d: ([d.normal(d.size(1, 3), d.size(1, 4), d.size(1, 6))], 1, function)


def positive(function):
    return lambda d: ([d.positive(d.size(1, 3), d.size(1, 4), d.size(1, 6))], 1, function)


def pair(function, spread=lambda d, n: (d.normal(3, n, 2), d.normal(n, 1))):
    return lambda d: (list(spread(d, d.size(1, 5))), 2, function)


def losses(function, make=lambda d, s: d.normal(*s)):
    def case(d):
        shape = (d.size(1, 3), d.size(1, 3), d.size(2, 6), d.size(2, 6))
        return [make(d, shape), d.target(*shape)], 1, function
    return case


def probabilities(function):
    return losses(function, lambda d, s: d.positive(*s))


def convolution(d):
    return [d.image(4), d.normal(6, 2, 3, 3), d.normal(6)], 3, lambda x, w, b: F.conv2d(
        x, w, b, stride=2, padding=(1, 2), dilation=1, groups=2)


def attention_operands(d):
    return [d.normal(2, d.n, 4), d.normal(2, 5, 4), d.normal(2, 5, 3)]


def cross_entropy(**more):
    def case(d):
        n, c, h, w = d.size(1, 3), d.size(2, 4), d.size(2, 5), d.size(2, 5)
        target = d.classes(c, n, h, w)
        target.view(-1)[0] = 0
        return [d.normal(n, c, h, w), target, d.positive(c)], 1, lambda x, t, k: F.cross_entropy(
            x, t.long(), weight=k, **more)
    return case


def batch_norm(training):
    def case(d):
        c = d.size(1, 5)
        return [d.image(c), d.normal(c), d.normal(c), d.normal(c), d.positive(c)], 3, lambda x, w, b, m, v: F.batch_norm(
            x, m.clone(), v.clone(), w, b, training)
    return case


def weighted(d, function, *shapes):
    return [d.image(6)] + [d.normal(*s) for s in shapes], 1 + len(shapes), function


# The inputs, how many of them (the first ones) have a gradient, and the function.
CASES = {
    "add": pair(torch.add), "sub": pair(torch.sub), "mul": pair(torch.mul),
    "div": pair(torch.div, lambda d, n: (d.normal(3, n, 2), d.positive(n, 1))),
    "scalars": unary(lambda x: 2 - ((x + 1.5) * 3 - 0.5) / 4 + 1 / (x.square() + 2)),
    "negate": unary(torch.neg), "maximum": pair(torch.maximum), "minimum": pair(torch.minimum),
    "pow": pair(torch.pow, lambda d, n: (d.positive(3, n, 2), d.normal(n, 1))),
    "pow_scalar": positive(lambda x: x ** 1.5), "abs": unary(torch.abs), "exp": unary(torch.exp),
    "log": positive(torch.log), "log1p": positive(torch.log1p), "sqrt": positive(torch.sqrt),
    "rsqrt": positive(torch.rsqrt), "square": unary(torch.square), "reciprocal": positive(torch.reciprocal),
    "sign": unary(torch.sign), "floor": unary(torch.floor), "round": unary(torch.round),
    "truncate": unary(lambda x: x + torch.trunc(x)),
    "clamp": unary(lambda x: torch.clamp(x, -0.5, 0.7)),
    "compare": pair(lambda a, b: a * ((a > b).float() + 2 * (a <= b).float()) + b * (a > 0.3).float()),
    "choose": pair(lambda a, b: torch.where(a < 0, a, b * 2)),
    "matmul": lambda d: ([d.normal(2, 3, d.n), d.normal(2, d.n, 4)], 2, torch.matmul),
    "relu": unary(F.relu), "sigmoid": unary(torch.sigmoid), "tanh": unary(torch.tanh), "silu": unary(F.silu),
    "mish": unary(F.mish), "hardswish": unary(F.hardswish), "hardsigmoid": unary(F.hardsigmoid),
    "log_sigmoid": unary(F.logsigmoid), "relu6": unary(F.relu6), "leaky_relu": unary(lambda x: F.leaky_relu(x, 0.2)),
    "elu": unary(lambda x: F.elu(x, 0.7)), "gelu": unary(F.gelu),
    "gelu_tanh": unary(lambda x: F.gelu(x, approximate="tanh")), "softplus": unary(lambda x: F.softplus(x, 2, 10)),
    "hardtanh": unary(lambda x: F.hardtanh(x, -0.5, 0.8)),
    "prelu": lambda d: weighted(d, F.prelu, (6,)),
    "softmax": unary(lambda x: F.softmax(x, 1)), "log_softmax": unary(lambda x: F.log_softmax(x, -1)),
    "reshape": lambda d: ([d.normal(2, 3, 4)], 1, lambda x: x.reshape(6, -1)),
    "flatten": lambda d: ([d.normal(2, 3, 4, 2)], 1, lambda x: x.flatten(1, 2)),
    "permute": lambda d: ([d.normal(2, 3, 4)], 1, lambda x: x.permute(2, 0, 1)),
    "transpose": lambda d: ([d.normal(2, 3, 4)], 1, lambda x: x.transpose(1, 2)),
    "expand": lambda d: ([d.normal(3, 1)], 1, lambda x: x.expand(2, 3, 4)),
    "squeeze": lambda d: ([d.normal(3, 1, 2)], 1, lambda x: x.squeeze(1).unsqueeze(0)),
    "slice": lambda d: ([d.normal(3, 7, 2)], 1, lambda x: x[:, 1:6:2]),
    "select": lambda d: ([d.normal(3, 4, 2)], 1, lambda x: x[:, 2]),
    "concatenate": lambda d: ([d.image(2), d.image(3)][:1] + [d.normal(1, 1, 1, 1)], 2,
                              lambda a, b: torch.cat([a, b.expand(a.shape[0], 2, *a.shape[2:])], 1)),
    "stack": lambda d: ([d.normal(2, 3), d.normal(2, 3)], 2, lambda a, b: torch.stack([a, b], 1)),
    "pad": lambda d: ([d.normal(2, 3, 4)], 1, lambda x: F.pad(x, (1, 2, 0, 1), value=0.5)),
    "sum": unary(lambda x: x.sum((0, 2))), "mean": unary(lambda x: x.mean(1, keepdim=True)),
    "amax": unary(lambda x: x.amax(2)), "amin": unary(lambda x: x.amin((1, 2), keepdim=True)),
    "variance": lambda d: ([d.normal(3, d.n, 4)], 1, lambda x: x.var((0, 2)) + x.var((0, 2), unbiased=False)),
    "deviation": lambda d: ([d.normal(3, d.n, 4)], 1, lambda x: x.std((0, 2)) + x.std((0, 2), unbiased=False)),
    "product": unary(lambda x: x.prod(1, keepdim=True)), "cumulative": unary(lambda x: x.cumsum(-1)),
    "logical": pair(lambda a, b: a * ((a > 0) & (b > 0)).float() + b * ((a > 0) | ~(b > 0)).float()),
    "argmax": lambda d: ([d.normal(3, 5, 2)], 1, lambda x: x.sum() + x.argmax(1).float()),
    "argmin": lambda d: ([d.normal(3, 5, 2)], 1, lambda x: x.sum() + x.argmin(-1, keepdim=True).float()),
    "top": lambda d: ([d.normal(3, 7, 2)], 1, lambda x: torch.topk(x, 3, 1)[0] + torch.topk(x, 3, 1)[1].float()),
    "bottom": lambda d: ([d.normal(3, 7)], 1, lambda x: torch.topk(x, 2, -1, False)[0]),
    "gather": lambda d: ([d.normal(3, 5, 2), d.classes(5, 2, 4, 2)], 1, lambda x, i: x.gather(1, i.long())),
    "index_select": lambda d: ([d.normal(3, 5, 2), d.classes(5, 7)], 1, lambda x, i: x.index_select(1, i.long())),
    "one_hot": lambda d: ([d.normal(3, d.n, 4), d.classes(4, 3, d.n)], 1,
                          lambda x, c: x * F.one_hot(c.long(), 4).float()),
    "range": lambda d: ([d.normal(3, 5)], 1, lambda x: x * torch.arange(5) * 0.5 - x),
    "flip": lambda d: ([d.normal(3, d.n, 4)], 1, lambda x: x.flip(0, 2)),
    "roll": lambda d: ([d.normal(3, d.n, 4)], 1, lambda x: x.roll((1, -2), (0, 2)) + x.roll(5)),
    "repeat": lambda d: ([d.normal(3, d.n)], 1, lambda x: x.repeat(2, 1, 3)),
    "split": lambda d: ([d.normal(3, 7)], 1, lambda x: torch.cat(list(reversed(x.split(3, 1))), 1)),
    "triangles": lambda d: ([d.normal(2, 4, 5)], 1, lambda x: x.tril(1) + 2 * x.triu()),
    "einsum": lambda d: ([d.normal(2, 3, d.n, 5), d.normal(2, 3, 4, 5)], 2,
                         lambda a, b: torch.einsum("bhid,bhjd->bihj", a, b)),
    "matmul_broadcast": lambda d: ([d.normal(2, 3, 4, d.n), d.normal(3, d.n, 2)], 2, torch.matmul),
    "attention": lambda d: (attention_operands(d), 3, F.scaled_dot_product_attention),
    "attention_mask": lambda d: (attention_operands(d) + [d.normal(1, d.n, 5)], 4,
                                 lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m, scale=0.3)),
    "attention_visible": lambda d: (
        attention_operands(d) + [torch.cat([torch.ones(d.n, 1), d.target(d.n, 4)], 1)], 3,
        lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m.bool())),
    "attention_causal": lambda d: (attention_operands(d), 3,
                                   lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True)),
    "pad_reflect": lambda d: ([d.image()], 1, lambda x: F.pad(x, (1, 2, 3, 0), "reflect")),
    "pad_replicate": lambda d: ([d.image()], 1, lambda x: F.pad(x, (1, -1, 3, 0), "replicate")),
    "pad_circular": lambda d: ([d.image()], 1, lambda x: F.pad(x, (1, 2, 3, 0), "circular")),
    "conv2d": convolution,
    "conv2d_dilated": lambda d: weighted(d, lambda x, w: F.conv2d(x, w, padding=2, dilation=2), (5, 6, 3, 3)),
    "conv2d_reflect": lambda d: weighted(
        d, lambda x, w: F.conv2d(F.pad(x, (2, 2, 1, 1), "reflect"), w), (5, 6, 3, 3)),
    "conv_transpose2d": lambda d: weighted(
        d, lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=1), (6, 4, 3, 3), (4,)),
    "conv1d": lambda d: ([d.normal(2, 4, 9), d.normal(6, 2, 3), d.normal(6)], 3,
                         lambda x, w, b: F.conv1d(x, w, b, 2, 1, 2, 2)),
    "conv_transpose1d": lambda d: ([d.normal(2, 4, d.n), d.normal(4, 3, 3)], 2,
                                   lambda x, w: F.conv_transpose1d(x, w, None, 2, 1, 1)),
    "conv3d": lambda d: ([d.volume(4), d.normal(6, 2, 3, 2, 3), d.normal(6)], 3,
                         lambda x, w, b: F.conv3d(x, w, b, (1, 2, 1), (1, 0, 2), 1, 2)),
    "conv_transpose3d": lambda d: ([d.volume(4), d.normal(4, 3, 2, 2, 2)], 2,
                                   lambda x, w: F.conv_transpose3d(x, w, None, 2)),
    "linear": lambda d: ([d.normal(2, d.n, 5), d.normal(3, 5), d.normal(3)], 3, F.linear),
    "max_pool2d": lambda d: ([d.image()], 1, lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True)),
    "avg_pool2d": lambda d: ([d.image()], 1, lambda x: F.avg_pool2d(x, 2, (2, 1), 1, count_include_pad=False)),
    "avg_pool2d_divisor": lambda d: ([d.image()], 1, lambda x: F.avg_pool2d(x, 2, divisor_override=3)),
    "adaptive_avg_pool2d": lambda d: ([d.image()], 1, lambda x: F.adaptive_avg_pool2d(x, (3, 2))),
    "adaptive_max_pool2d": lambda d: ([d.image()], 1, lambda x: F.adaptive_max_pool2d(x, (3, 2))),
    "max_pool1d": lambda d: ([d.normal(2, 3, 9)], 1, lambda x: F.max_pool1d(x, 3, 2, 1)),
    "max_pool3d": lambda d: ([d.volume()], 1, lambda x: F.max_pool3d(x, 2, (1, 2, 1), 1, dilation=1, ceil_mode=True)),
    "avg_pool1d": lambda d: ([d.normal(2, 3, 9)], 1, lambda x: F.avg_pool1d(x, 2)),
    "avg_pool3d": lambda d: ([d.volume()], 1, lambda x: F.avg_pool3d(x, 2, 1, 1)),
    "adaptive_avg_pool1d": lambda d: ([d.normal(2, 3, 9)], 1, lambda x: F.adaptive_avg_pool1d(x, 4)),
    "adaptive_avg_pool3d": lambda d: ([d.volume()], 1, lambda x: F.adaptive_avg_pool3d(x, (1, 2, 3))),
    "adaptive_max_pool1d": lambda d: ([d.normal(2, 3, 9)], 1, lambda x: F.adaptive_max_pool1d(x, 4)),
    "adaptive_max_pool3d": lambda d: ([d.volume()], 1, lambda x: F.adaptive_max_pool3d(x, 2)),
    "nearest_exact": lambda d: ([d.image()], 1, lambda x: F.interpolate(x, size=(5, 7), mode="nearest-exact")),
    "linear1d": lambda d: ([d.normal(2, 3, 9)], 1, lambda x: F.interpolate(x, size=14, mode="linear")),
    "bicubic": lambda d: ([d.image()], 1, lambda x: F.interpolate(x, scale_factor=(1.5, 2), mode="bicubic")),
    "trilinear": lambda d: ([d.volume()], 1, lambda x: F.interpolate(
        x, scale_factor=2, mode="trilinear", align_corners=True)),
    "nearest3d": lambda d: ([d.volume()], 1, lambda x: F.interpolate(x, scale_factor=2)),
    "pixel_shuffle": lambda d: ([d.image(8)], 1, lambda x: F.pixel_shuffle(x, 2)),
    "pixel_unshuffle": lambda d: ([d.normal(2, 3, 6, 4)], 1, lambda x: F.pixel_unshuffle(x, 2)),
    "nearest": lambda d: ([d.image()], 1, lambda x: F.interpolate(x, scale_factor=1.7)),
    "bilinear": lambda d: ([d.image()], 1, lambda x: F.interpolate(x, size=(7, 11), mode="bilinear")),
    "bilinear_corners": lambda d: ([d.image()], 1, lambda x: F.interpolate(
        x, scale_factor=2, mode="bilinear", align_corners=True)),
    "batch_norm": batch_norm(True), "batch_norm_eval": batch_norm(False),
    "group_norm": lambda d: weighted(d, lambda x, w, b: F.group_norm(x, 3, w, b), (6,), (6,)),
    "instance_norm": lambda d: weighted(d, lambda x, w, b: F.instance_norm(x, weight=w, bias=b), (6,), (6,)),
    "instance_norm_3d": lambda d: ([d.volume(3)], 1, lambda x: F.instance_norm(x)),
    "batch_norm_3d": lambda d: ([d.volume(3), d.normal(3), d.normal(3)], 3,
                                lambda x, w, b: F.batch_norm(x, None, None, w, b, True)),
    "layer_norm": lambda d: ([d.normal(3, d.n, 6), d.normal(6), d.normal(6)], 3,
                             lambda x, w, b: F.layer_norm(x, (6,), w, b)),
    "bce": probabilities(F.binary_cross_entropy),
    "bce_logits": losses(F.binary_cross_entropy_with_logits),
    "bce_logits_weighted": lambda d: ([d.normal(2, 3, 4, 4), d.target(2, 3, 4, 4), d.positive(2, 3, 4, 4),
                                       d.positive(3, 1, 1) + 1], 1,
                                      lambda x, t, w, p: F.binary_cross_entropy_with_logits(
                                          x, t, weight=w, pos_weight=p, reduction="sum")),
    "cross_entropy": cross_entropy(),
    "cross_entropy_smoothed": cross_entropy(label_smoothing=0.2),
    "cross_entropy_ignored": cross_entropy(ignore_index=1, reduction="sum"),
    "cross_entropy_probabilities": lambda d: ([d.normal(2, 4, 3), d.positive(2, 4, 3)], 2, F.cross_entropy),
    "nll": lambda d: ([d.normal(2, 4, 3), d.classes(4, 2, 3)], 1,
                      lambda x, t: F.nll_loss(F.log_softmax(x, 1), t.long())),
    "mse": losses(F.mse_loss), "l1": losses(F.l1_loss), "mse_each": losses(lambda x, t: F.mse_loss(x, t, reduction="none")),
    "smooth_l1": losses(lambda x, t: F.smooth_l1_loss(x, t, beta=0.5)),
    "dice": probabilities(lambda p, t: soft_dice(p, t, 1.0, (2, 3))),
    "dice_batch": probabilities(lambda p, t: soft_dice(p, t, 1e-5, (0, 2, 3))),
    "dice_squared": probabilities(lambda p, t: soft_dice(p, t, 1.0, (2, 3), 2)),
    "tversky": probabilities(lambda p, t: tversky(p, t, 0.3, 0.7, 1.0)),
    "focal_tversky": probabilities(lambda p, t: tversky(p, t, 0.3, 0.7, 1.0, 0.75)),
    "focal": losses(lambda x, t: focal(x, t, 0.25, 2)),
    "dice_cross_entropy": lambda d: (
        [d.normal(2, 3, 8, 6), d.classes(3, 2, 8, 6)], 1, lambda x, t: dice_cross_entropy(x, t)),
    "deep_supervision": lambda d: (
        [d.normal(2, 3, 8, 8), d.normal(2, 3, 4, 4), d.normal(2, 3, 2, 2), d.classes(3, 2, 1, 8, 8),
         d.classes(3, 2, 1, 4, 4), d.classes(3, 2, 1, 2, 2)], 3,
        lambda a, b, c, x, y, z: (2 * dice_cross_entropy(a, x) + dice_cross_entropy(b, y)) / 3 + 0 * c.sum()),
}

def flat(name, tensors):
    return {f"{name}/{key}": t.detach().float().contiguous().clone() for key, t in tensors.items()}


def operations(seed, count, folder):
    for index in range(count):
        collected = {}
        for name, make in CASES.items():
            d = Draw(f"{seed}-{name}-{index}")
            d.n = d.size(1, 6)
            inputs, wanting, function = make(d)
            for x in inputs[:wanting]:
                x.requires_grad_(True)
            result = function(*inputs)
            weights = d.normal(*result.shape) if result.dim() else d.positive(1).reshape(()) + 0.5
            (result * weights).sum().backward()
            tensors = {f"in.{i}": x for i, x in enumerate(inputs)}
            tensors.update({f"grad.{i}": torch.zeros_like(x) if x.grad is None else x.grad
                            for i, x in enumerate(inputs[:wanting])})
            tensors.update(out=result, weights=weights)
            collected.update(flat(name, tensors))
        save_file(collected, folder / f"operations-{index}.safetensors")


class Attention(torch.nn.Module):
    """Self-attention without the weights that `MultiheadAttention` returns beside its result."""

    def __init__(self, features, heads):
        super().__init__()
        self.mix = torch.nn.MultiheadAttention(features, heads, batch_first=True)

    def forward(self, x):
        return self.mix(x, x, x, need_weights=False)[0]


nn = torch.nn
# The module, and the shape of its input.
LAYERS = {
    "conv1d": (lambda: nn.Conv1d(4, 6, 3, 2, 1, 2, 2), (2, 4, 11)),
    "conv3d": (lambda: nn.Conv3d(2, 3, (1, 3, 3), padding=(0, 1, 1)), (2, 2, 4, 5, 6)),
    "conv_transpose1d": (lambda: nn.ConvTranspose1d(4, 6, 4, 2, 1), (2, 4, 7)),
    "conv_transpose3d": (lambda: nn.ConvTranspose3d(2, 3, (1, 2, 2), (1, 2, 2)), (2, 2, 3, 4, 5)),
    "conv2d": (lambda: nn.Conv2d(4, 6, (3, 1), (2, 1), (1, 0), 1, 2, False), (2, 4, 7, 9)),
    "conv2d_circular": (lambda: nn.Conv2d(3, 5, 3, padding=(1, 2), padding_mode="circular"), (2, 3, 6, 5)),
    "conv2d_replicate": (lambda: nn.Conv2d(3, 5, 3, padding=1, padding_mode="replicate"), (2, 3, 6, 5)),
    "conv_transpose2d": (lambda: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, 2), (2, 4, 5, 6)),
    "linear": (lambda: nn.Linear(5, 3), (2, 4, 5)),
    "attention": (lambda: Attention(8, 2), (2, 5, 8)),
    "batch_norm1d": (lambda: nn.BatchNorm1d(4), (6, 4)),
    "batch_norm1d_line": (lambda: nn.BatchNorm1d(4, momentum=0.3), (3, 4, 5)),
    "batch_norm2d": (lambda: nn.BatchNorm2d(3, 1e-3), (2, 3, 4, 5)),
    "batch_norm2d_plain": (lambda: nn.BatchNorm2d(3, affine=False, track_running_stats=False), (2, 3, 4, 5)),
    "batch_norm3d": (lambda: nn.BatchNorm3d(3), (2, 3, 2, 3, 4)),
    "instance_norm1d": (lambda: nn.InstanceNorm1d(3), (2, 3, 6)),
    "instance_norm2d": (lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True), (2, 3, 4, 5)),
    "instance_norm3d": (lambda: nn.InstanceNorm3d(3, affine=True), (2, 3, 2, 3, 4)),
    "group_norm": (lambda: nn.GroupNorm(2, 6), (2, 6, 3, 4)),
    "layer_norm": (lambda: nn.LayerNorm([3, 4]), (2, 5, 3, 4)),
    "prelu": (lambda: nn.PReLU(3), (2, 3, 4)),
    "pools1d": (lambda: nn.Sequential(nn.MaxPool1d(3, 2, 1), nn.AvgPool1d(2, 1), nn.AdaptiveAvgPool1d(3),
                                      nn.AdaptiveMaxPool1d(2)), (2, 3, 16)),
    "pools2d": (lambda: nn.Sequential(nn.MaxPool2d(2, 1, 1, 1, ceil_mode=True), nn.AvgPool2d((2, 1), 1, (1, 0), True, False),
                                      nn.AdaptiveAvgPool2d((5, 4)), nn.AdaptiveMaxPool2d(3)), (2, 3, 8, 9)),
    "pools3d": (lambda: nn.Sequential(nn.MaxPool3d(2, 1), nn.AvgPool3d((1, 2, 2), 1, 0), nn.AdaptiveAvgPool3d(3),
                                      nn.AdaptiveMaxPool3d((1, 2, 2))), (2, 2, 5, 6, 7)),
    "upsample": (lambda: nn.Sequential(nn.Upsample(scale_factor=2), nn.Upsample(size=(9, 7), mode="bilinear"),
                                       nn.Upsample(scale_factor=(1.5, 2.0), mode="bicubic", align_corners=True)), (2, 3, 4, 5)),
    "rearranged": (lambda: nn.Sequential(nn.ReflectionPad2d((1, 2, 0, 1)), nn.PixelUnshuffle(2), nn.ZeroPad2d((0, 1, -1, 1)),
                                         nn.CircularPad2d(1), nn.PixelShuffle(2), nn.Flatten()), (2, 3, 5, 7)),
}


def layers(seed, count, folder):
    for index in range(count):
        torch.manual_seed(seed * 1000 + index)
        collected = {}
        for name, (make, shape) in LAYERS.items():
            module = make()
            for p in list(module.parameters()) + list(module.buffers()):
                if p.is_floating_point():
                    p.data.normal_().abs_() if p.dim() < 2 else p.data.normal_(0, 0.3)
            x = torch.randn(*shape, requires_grad=True)
            tensors = {f"before.{k}": v.clone() for k, v in module.state_dict().items()}
            result = module(x)
            weights = torch.randn(*result.shape)
            (result * weights).sum().backward()
            tensors.update({f"grad.{k}": p.grad for k, p in module.named_parameters()})
            tensors.update({f"after.{k}": v.clone() for k, v in module.state_dict().items()})
            module.eval()
            tensors.update(x=x, dx=x.grad, weights=weights, out=result, evaluation=module(x))
            collected.update(flat(name, tensors))
        save_file(collected, folder / f"layers-{index}.safetensors")


def initialization(seed, count, folder):
    torch.manual_seed(seed)
    init, big = torch.nn.init, (40, 30, 4, 4)
    schemes = {
        "uniform": lambda w: init.uniform_(w, -0.3, 0.9), "normal": lambda w: init.normal_(w, 0.4, 2),
        "truncated": lambda w: init.trunc_normal_(w), "truncated_tail": lambda w: init.trunc_normal_(w, 0, 1, 1, 3),
        "xavier_uniform": lambda w: init.xavier_uniform_(w, 1.3), "xavier_normal": init.xavier_normal_,
        "kaiming_uniform": lambda w: init.kaiming_uniform_(w, a=5 ** 0.5),
        "kaiming_normal_out": lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"),
        "kaiming_normal_tanh": lambda w: init.kaiming_normal_(w, nonlinearity="tanh"),
        "kaiming_normal_selu": lambda w: init.kaiming_normal_(w, nonlinearity="selu"),
        "orthogonal": lambda w: init.orthogonal_(w, 1.5),
    }
    tensors = {name: make(torch.empty(big)) for name, make in schemes.items()}
    tensors["conv.weight"] = torch.nn.Conv2d(30, 40, 4).weight.detach()
    tensors["conv.bias"] = torch.nn.Conv2d(3, 19200, 1).bias.detach()
    tensors["transposed.weight"] = torch.nn.ConvTranspose2d(30, 40, 4).weight.detach()
    tensors["transposed.bias"] = torch.nn.ConvTranspose2d(1, 19200, 1).bias.detach()
    tensors["linear.weight"] = torch.nn.Linear(120, 160).weight.detach()
    tensors["linear.bias"] = torch.nn.Linear(5, 19200).bias.detach()
    tensors = {name: t.flatten()[:: 19200 // count][:count].clone() for name, t in tensors.items()}
    for groups in (1, 2):
        tensors[f"dirac.{groups}"] = init.dirac_(torch.empty(6, 3, 3, 4), groups)
    gains = [init.calculate_gain(n) for n in ("linear", "sigmoid", "tanh", "relu", "selu")]
    gains += [init.calculate_gain("leaky_relu"), init.calculate_gain("leaky_relu", 0.2)]
    tensors["gains"] = torch.tensor(gains, dtype=torch.float64)
    tensors["fans"] = torch.tensor([init._calculate_fan_in_and_fan_out(torch.empty(s)) for s in (
        (7, 3), (8, 4, 3), (8, 4, 3, 5), (6, 2, 3, 3, 2))])
    save_file(tensors, folder / "initialization.safetensors")


def block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
                         nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())


class UNet(torch.nn.Module):
    def __init__(self, channels, depth):
        super().__init__()
        widths = [channels << i for i in range(depth)]
        self.encoder = torch.nn.ModuleList(block(1 if w == channels else w // 2, w) for w in widths)
        self.bottleneck = block(widths[-1], 2 * widths[-1])
        self.up = torch.nn.ModuleList(torch.nn.ConvTranspose2d(2 * w, w, 2, 2) for w in reversed(widths))
        self.decoder = torch.nn.ModuleList(block(2 * w, w) for w in reversed(widths))
        self.head = torch.nn.Conv2d(channels, 1, 1)

    def forward(self, x):
        skips = []
        for stage in self.encoder:
            skips.append(stage(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.bottleneck(x)
        for up, stage in zip(self.up, self.decoder):
            x = stage(torch.cat([up(x), skips.pop()], 1))
        return self.head(x)


def unet(seed, channels, folder):
    torch.manual_seed(seed)
    model, tensors = UNet(channels, 2), {}
    save_file(model.state_dict(), folder / "state.safetensors")
    for index in range(4):
        mask = (torch.rand(4, 1, 6, 6) > 0.6).float().repeat_interleave(4, 2).repeat_interleave(4, 3)
        tensors[f"mask.{index}"] = mask
        tensors[f"image.{index}"] = mask * 0.5 + 0.2 * torch.randn(4, 1, 24, 24)
    optimizer, losses = torch.optim.Adam(model.parameters(), 1e-3), []
    for step in range(20):
        logits = model(tensors[f"image.{step % 4}"])
        loss = F.binary_cross_entropy_with_logits(logits, tensors[f"mask.{step % 4}"])
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            tensors["logits"] = logits.detach()
            tensors.update({f"grad.{n}": p.grad.clone() for n, p in model.named_parameters()})
            tensors.update({f"buffer.{n}": b.clone() for n, b in model.named_buffers()})
        optimizer.step()
    model.eval()
    tensors["evaluation"] = model(tensors["image.0"]).detach()
    tensors["losses"] = torch.tensor(losses)
    save_file(tensors, folder / "unet.safetensors")


def reload(folder):
    """Whether PyTorch takes the file that the layers wrote."""
    from safetensors.torch import load_file
    state = load_file(folder / "saved.safetensors")
    model = UNet(state["head.weight"].shape[1], 2)
    model.load_state_dict(state)
    model.eval()
    save_file({"out": model(load_file(folder / "unet.safetensors")["image.0"]).detach()}, folder / "reloaded.safetensors")


def decoded(path):
    """An 8-bit grey PNG without interlacing, by its definition (ISO/IEC 15948), as a tensor H W of bytes."""
    import struct
    import zlib
    data, position, packed = path.read_bytes(), 8, b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        body = data[position + 8:position + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            assert (depth, colour, interlace) == (8, 0, 0), path
        packed += body if kind == b"IDAT" else b""
        position += 12 + length
    raw, rows, above = zlib.decompress(packed), [], bytes(width)
    for y in range(height):
        rule, line = raw[y * (width + 1)], bytearray(raw[y * (width + 1) + 1:(y + 1) * (width + 1)])
        for x in range(width):
            a, b, c = line[x - 1] if x else 0, above[x], above[x - 1] if x else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            line[x] = (line[x] + (0, a, b, (a + b) // 2, nearest)[rule]) % 256
        rows.append(list(line))
        above = line
    return torch.tensor(rows, dtype=torch.uint8)


def slices(dataset, folder):
    """Sixteen slices with something to find, images N 1 H W and masks of 0 and 1, every second row and column."""
    import json
    training = sorted(json.loads((dataset / "split.json").read_text())["training"])
    names = [n for n in training if decoded(dataset / f"masks/{n}.png").bool().float().mean() > 0.04]
    names = names[:: len(names) // 16][:16]
    halved = {kind: torch.stack([decoded(dataset / f"{kind}/{n}.png")[None, ::2, ::2] for n in names])
              for kind in ("images", "masks")}
    halved["masks"] = (halved["masks"] > 127).to(torch.uint8)
    save_file({k: t.contiguous() for k, t in halved.items()}, folder / "slices.safetensors",
              {"ids": json.dumps(names)})


def store(folder):
    folder.mkdir(parents=True, exist_ok=True)
    operations("1", 1, folder)
    layers(1, 1, folder)
    initialization(1, 1200, folder)
    unet(1, 4, folder)
    slices(pathlib.Path(__file__).parents[3] / "datasets/colin27-cerebellum", folder)


if __name__ == "__main__":
    torch.set_num_threads(2)
    mode, rest = sys.argv[1], sys.argv[2:]
    folder = pathlib.Path(rest[-1])
    if mode == "operations":
        operations(rest[0], int(rest[1]), folder)
    elif mode == "slices":
        slices(pathlib.Path(rest[0]), folder)
    elif mode in ("reload", "store"):
        {"reload": reload, "store": store}[mode](folder)
    else:
        {"layers": layers, "initialization": initialization, "unet": unet}[mode](int(rest[0]), int(rest[1]), folder)
