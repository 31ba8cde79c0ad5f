"""Reference values for the eager layers of TensorRuntime, computed by PyTorch.

    eager_reference.py operations SEED COUNT FOLDER   operations, forward and all gradients: NAME-INDEX.safetensors
    eager_reference.py initialization SEED FOLDER     samples of torch.nn.init
    eager_reference.py unet SEED FOLDER               a U-Net: state, output, gradients, 20 Adam steps
    eager_reference.py data FOLDER DATASET COUNT      embedded slices as one safetensors file
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

    def image(self, channels=None):
        return self.normal(self.size(1, 3), channels or self.size(1, 5), self.size(4, 9), self.size(4, 9))


def soft_dice(p, t, smoothing, axes):
    intersection, total = (p * t).sum(axes), p.sum(axes) + t.sum(axes)
    return (1 - (2 * intersection + smoothing) / (total + smoothing)).mean()


def tversky(p, t, alpha, beta, smoothing):
    hits, misses, alarms = (p * t).sum((2, 3)), ((1 - p) * t).sum((2, 3)), (p * (1 - t)).sum((2, 3))
    return (1 - (hits + smoothing) / (hits + alpha * alarms + beta * misses + smoothing)).mean()


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


def cross_entropy(d):
    n, c, h, w = d.size(1, 3), d.size(2, 4), d.size(2, 5), d.size(2, 5)
    return [d.normal(n, c, h, w), d.classes(c, n, h, w), d.positive(c)], 1, lambda x, t, k: F.cross_entropy(
        x, t.long(), weight=k)


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
    "argmax": lambda d: ([d.normal(3, 5, 2)], 1, lambda x: x.sum() + x.argmax(1).float()),
    "conv2d": convolution,
    "conv2d_dilated": lambda d: weighted(d, lambda x, w: F.conv2d(x, w, padding=2, dilation=2), (5, 6, 3, 3)),
    "conv_transpose2d": lambda d: weighted(
        d, lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=1), (6, 4, 3, 3), (4,)),
    "linear": lambda d: ([d.normal(2, d.n, 5), d.normal(3, 5), d.normal(3)], 3, F.linear),
    "max_pool2d": lambda d: ([d.image()], 1, lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True)),
    "avg_pool2d": lambda d: ([d.image()], 1, lambda x: F.avg_pool2d(x, 2, (2, 1), 1, count_include_pad=False)),
    "adaptive_avg_pool2d": lambda d: ([d.image()], 1, lambda x: F.adaptive_avg_pool2d(x, (3, 2))),
    "nearest": lambda d: ([d.image()], 1, lambda x: F.interpolate(x, scale_factor=1.7)),
    "bilinear": lambda d: ([d.image()], 1, lambda x: F.interpolate(x, size=(7, 11), mode="bilinear")),
    "bilinear_corners": lambda d: ([d.image()], 1, lambda x: F.interpolate(
        x, scale_factor=2, mode="bilinear", align_corners=True)),
    "batch_norm": batch_norm(True), "batch_norm_eval": batch_norm(False),
    "group_norm": lambda d: weighted(d, lambda x, w, b: F.group_norm(x, 3, w, b), (6,), (6,)),
    "instance_norm": lambda d: weighted(d, lambda x, w, b: F.instance_norm(x, weight=w, bias=b), (6,), (6,)),
    "layer_norm": lambda d: ([d.normal(3, d.n, 6), d.normal(6), d.normal(6)], 3,
                             lambda x, w, b: F.layer_norm(x, (6,), w, b)),
    "bce": probabilities(F.binary_cross_entropy),
    "bce_logits": losses(F.binary_cross_entropy_with_logits),
    "bce_logits_weighted": lambda d: ([d.normal(2, 3, 4, 4), d.target(2, 3, 4, 4), d.positive(2, 3, 4, 4),
                                       d.positive(3, 1, 1) + 1], 1,
                                      lambda x, t, w, p: F.binary_cross_entropy_with_logits(
                                          x, t, weight=w, pos_weight=p, reduction="sum")),
    "cross_entropy": cross_entropy,
    "mse": losses(F.mse_loss), "l1": losses(F.l1_loss),
    "smooth_l1": losses(lambda x, t: F.smooth_l1_loss(x, t, beta=0.5)),
    "dice": probabilities(lambda p, t: soft_dice(p, t, 1.0, (2, 3))),
    "dice_batch": probabilities(lambda p, t: soft_dice(p, t, 1e-5, (0, 2, 3))),
    "tversky": probabilities(lambda p, t: tversky(p, t, 0.3, 0.7, 1.0)),
    "focal": losses(lambda x, t: focal(x, t, 0.25, 2)),
}


def operations(seed, count, folder):
    for name, make in CASES.items():
        for index in range(count):
            d = Draw(f"{seed}-{name}-{index}")
            d.n = d.size(1, 6)
            inputs, wanting, function = make(d)
            for x in inputs[:wanting]:
                x.requires_grad_(True)
            result = function(*inputs)
            weights = d.normal(*result.shape) if result.dim() else d.positive(1).reshape(()) + 0.5
            (result * weights).sum().backward()
            tensors = {f"in.{i}": x.detach().contiguous() for i, x in enumerate(inputs)}
            tensors.update({f"grad.{i}": (torch.zeros_like(x) if x.grad is None else x.grad).contiguous()
                            for i, x in enumerate(inputs[:wanting])})
            tensors["out"], tensors["weights"] = result.detach().contiguous(), weights.contiguous()
            save_file({k: t.clone() for k, t in tensors.items()}, folder / f"{name}-{index}.safetensors")
    print(" ".join(CASES))


def initialization(seed, folder):
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
    for groups in (1, 2):
        tensors[f"dirac.{groups}"] = init.dirac_(torch.empty(6, 3, 3, 4), groups)
    gains = [init.calculate_gain(n) for n in ("linear", "sigmoid", "tanh", "relu", "selu")]
    gains += [init.calculate_gain("leaky_relu"), init.calculate_gain("leaky_relu", 0.2)]
    tensors["gains"] = torch.tensor(gains, dtype=torch.float64)
    tensors["fans"] = torch.tensor([init._calculate_fan_in_and_fan_out(torch.empty(s)) for s in (
        (7, 3), (8, 4, 3), (8, 4, 3, 5), (6, 2, 3, 3, 2))])
    save_file(tensors, folder / "initialization.safetensors")


def block(i, o):
    nn = torch.nn
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


def unet(seed, folder):
    torch.manual_seed(seed)
    model, tensors = UNet(8, 2), {}
    save_file(model.state_dict(), folder / "state.safetensors")
    for index in range(4):
        mask = (torch.rand(4, 1, 8, 8) > 0.6).float().repeat_interleave(4, 2).repeat_interleave(4, 3)
        tensors[f"mask.{index}"] = mask
        tensors[f"image.{index}"] = mask * 0.5 + 0.2 * torch.randn(4, 1, 32, 32)
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
    model, state = UNet(8, 2), load_file(folder / "saved.safetensors")
    model.load_state_dict(state)
    model.eval()
    save_file({"out": model(load_file(folder / "unet.safetensors")["image.0"]).detach()}, folder / "reloaded.safetensors")


def data(folder, dataset, count):
    import numpy
    from PIL import Image
    names = sorted(p.name for p in (dataset / "images").glob("*.png"))
    names = names[:: max(1, len(names) // count)][:count]

    def load(kind):
        return torch.stack([torch.tensor(numpy.array(Image.open(dataset / kind / n).convert("L")))[None] for n in names])

    save_file({"images": load("images").float() / 255, "masks": (load("masks") > 127).float()},
              folder / "slices.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(2)
    if sys.argv[1] == "operations":
        operations(sys.argv[2], int(sys.argv[3]), pathlib.Path(sys.argv[4]))
    elif sys.argv[1] == "initialization":
        initialization(int(sys.argv[2]), pathlib.Path(sys.argv[3]))
    elif sys.argv[1] == "unet":
        unet(int(sys.argv[2]), pathlib.Path(sys.argv[3]))
    elif sys.argv[1] == "reload":
        reload(pathlib.Path(sys.argv[2]))
    else:
        data(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), int(sys.argv[4]))
