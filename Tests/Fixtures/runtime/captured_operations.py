"""What pipelines call, recorded as graphs, for every function that the capture of operations knows.

    python captured_operations.py FOLDER HELPER SEED

HELPER is the folder of the package llmbench_helper. Each function maps x (N 4 6 6, which depends on parameters) to a tensor; the
loss is the mean of the square and of the value itself. For each, PyTorch's loss and gradients are compared here with those of the
helper's own interpreter of the graph, and written for another runtime to reproduce: the graphs by name in FOLDER/captured-graphs.json, and
in FOLDER/captured-graphs.safetensors, after the name and a slash, parameters, buffers, constants, `image`, `loss`, `gradient.NAME`.

What the tests use where there is no PyTorch is remade, with HELPER=Sources/Capture/Helper, by:

    python captured_operations.py Tests/Fixtures/runtime/stored HELPER 1
"""

import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn


def clipped(x):
    """Written in place without gradient: the gradient is that of what was there before."""
    y = x * 2
    with torch.no_grad():
        y.clamp_(-0.5, 0.5)
    return y * x


def line(x):
    """N 4 36"""
    return x.flatten(2)


def volume(x):
    """N 4 4 3 3"""
    return x.reshape(x.shape[0], 4, 4, 3, 3)


def heads(x):
    """N 2 6 12: batch, heads, positions, channels."""
    return x.reshape(x.shape[0], 2, 6, 12)


def labels(x):
    """N 6 6, integers in 0..<4, no gradient."""
    return x.detach().argmax(1)


FUNCTIONS = {
    "pad reflect": lambda x: F.pad(x, (1, 2, 3, 0), mode="reflect"),
    "pad replicate": lambda x: F.pad(x, (1, 2, 1, 0), mode="replicate"),
    "pad circular": lambda x: F.pad(x, (1, 2, 1, 0), mode="circular"),
    "pad reflect 1-d": lambda x: F.pad(line(x), (1, 2), mode="reflect"),
    "pad replicate 3-d": lambda x: F.pad(volume(x), (1, 2, 1, 1, 1, 1), mode="replicate"),
    "pad circular 3-d": lambda x: F.pad(volume(x), (1, 2, 1, 1, 1, 1), mode="circular"),
    "pad constant": lambda x: F.pad(x, (1, -1, 0, 2), value=0.5),
    "max_pool1d": lambda x: F.max_pool1d(line(x), 3, 2, 1),
    "max_pool3d": lambda x: F.max_pool3d(volume(x), 2, 1),
    "avg_pool1d": lambda x: F.avg_pool1d(line(x), 3, 2, 1, count_include_pad=False),
    "avg_pool2d": lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, divisor_override=5),
    "avg_pool3d": lambda x: F.avg_pool3d(volume(x), 2),
    "adaptive_avg_pool1d": lambda x: F.adaptive_avg_pool1d(line(x), 5),
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, (4, 3)),
    "adaptive_avg_pool3d": lambda x: F.adaptive_avg_pool3d(volume(x), 2),
    "adaptive_max_pool2d": lambda x: F.adaptive_max_pool2d(x, (4, 1)),
    "adaptive_max_pool3d": lambda x: F.adaptive_max_pool3d(volume(x), 2),
    "interpolate nearest 1-d": lambda x: F.interpolate(line(x), scale_factor=1.5),
    "interpolate linear": lambda x: F.interpolate(line(x), size=50, mode="linear"),
    "interpolate bilinear": lambda x: F.interpolate(x, scale_factor=1.7, mode="bilinear"),
    "interpolate bicubic": lambda x: F.interpolate(x, size=(9, 7), mode="bicubic", align_corners=True),
    "interpolate nearest-exact": lambda x: F.interpolate(x, scale_factor=2.5, mode="nearest-exact"),
    "interpolate nearest 3-d": lambda x: F.interpolate(volume(x), scale_factor=2),
    "interpolate trilinear": lambda x: F.interpolate(volume(x), scale_factor=2, mode="trilinear", align_corners=True),
    "interpolate area": lambda x: F.interpolate(x, size=(4, 3), mode="area"),
    "attention": lambda x: F.scaled_dot_product_attention(heads(x), heads(x), heads(x)),
    "attention causal": lambda x: F.scaled_dot_product_attention(heads(x), heads(x), heads(x), is_causal=True, scale=0.5),
    "einsum": lambda x: torch.einsum("bhid,bhjd->bhij", heads(x), heads(x)),
    "matmul broadcast": lambda x: torch.matmul(heads(x), heads(x)[0, 0].transpose(0, 1)),
    "matmul vector": lambda x: torch.matmul(x, x[0, 0, 0]),
    "baddbmm": lambda x: torch.baddbmm(x[:, 0], x[:, 1], x[:, 2], beta=0.5, alpha=2),
    "pixel_shuffle": lambda x: F.pixel_shuffle(x, 2),
    "pixel_unshuffle": lambda x: F.pixel_unshuffle(x, 3),
    "gather": lambda x: torch.gather(x, 1, labels(x).unsqueeze(1)),
    "index_select": lambda x: x.index_select(1, torch.tensor([0, 2, 2])),
    "topk": lambda x: x.topk(2, 1)[0],
    "max along an axis": lambda x: x.max(1)[0].sum((1, 2)) + x.min(2)[0].sum((1, 2)),
    "max among equals": lambda x: F.relu(x).max(1)[0] * F.relu(-x).min(1, keepdim=True)[0][:, 0] + F.relu(x).max(3)[0].sum(),
    "amax": lambda x: x.amax((2, 3)),
    "cumsum": lambda x: x.cumsum(2),
    "prod": lambda x: x.prod(1),
    "var and std": lambda x: x.var((2, 3)) + x.std((2, 3), correction=0),
    "norm": lambda x: x.norm(dim=1),
    "normalize": lambda x: F.normalize(x, dim=1),
    "logsumexp": lambda x: x.logsumexp(1),
    "cosine_similarity": lambda x: F.cosine_similarity(x[:, :2], x[:, 2:]),
    "flip": lambda x: x.flip(-1) * x,
    "roll": lambda x: x.roll((1, -2), (2, 3)) * x,
    "roll all": lambda x: x[0].roll(5) * x,
    "tril": lambda x: torch.tril(x, -1) + torch.triu(x, 2),
    "repeat": lambda x: x.repeat(1, 2, 1, 3),
    "repeat by the batch": lambda x: x * x[:1].repeat(x.shape[0], 1, 1, 1),
    "repeat_interleave": lambda x: x.repeat_interleave(2, 2),
    "stack": lambda x: torch.stack([x, x * 2], 1),
    "chunk and split": lambda x: torch.cat(x.chunk(2, 1)[::-1], 1) * torch.cat(x.split([1, 3], 1)[::-1], 1),
    "one_hot": lambda x: F.one_hot(labels(x), 4).permute(0, 3, 1, 2) * x,
    "arange": lambda x: x * torch.arange(6),
    "meshgrid": lambda x: x * torch.linspace(-1, 1, 6)[None, :] * torch.linspace(-1, 1, 6)[:, None],
    "argmin": lambda x: x.argmin(1) * x[:, 0],
    "argmax all": lambda x: x * x[0].argmax(),
    "where": lambda x: torch.where(x > 0, x, x * x),
    "masked_fill": lambda x: x.masked_fill(x < 0, 0.25),
    "clamp by tensor": lambda x: torch.clamp(x, min=x.detach() - 0.1, max=x[:, :1]),
    "clamp at a tie": lambda x: torch.clamp(x, min=x.detach()) + torch.clamp(x * 2, max=x.detach() * 2),
    "in place without gradient": clipped,
    "cosine similarity in place": lambda x: F.cosine_similarity(x.flatten(1), x.flatten(1).flip(1)),
    "xlogy": lambda x: torch.xlogy(F.relu(x), x.detach().abs() + 0.5),
    "lerp": lambda x: torch.lerp(x[:, 0], x[:, 1], 0.3),
    "glu": lambda x: F.glu(x, 1),
    "selu": F.selu,
    "celu": lambda x: F.celu(x, 0.7),
    "mish": F.mish,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "logsigmoid": F.logsigmoid,
    "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu6": F.relu6,
    "tanhshrink": F.tanhshrink,
    "pow": lambda x: x.abs().pow(1.5) + x**2,
    "cross entropy": lambda x: F.cross_entropy(x, labels(x), label_smoothing=0.1),
    "cross entropy weighted": lambda x: F.cross_entropy(x, labels(x), torch.tensor([1.0, 2, 3, 4]), ignore_index=2),
    "cross entropy of probabilities": lambda x: F.cross_entropy(x, x.detach().softmax(1)),
    "nll": lambda x: F.nll_loss(x.log_softmax(1), labels(x)),
    "kl_div": lambda x: F.kl_div(x.log_softmax(1), x.detach().softmax(1), reduction="batchmean"),
    "huber": lambda x: F.huber_loss(x, x.detach() * 0.5, delta=0.7),
    "smooth l1": lambda x: F.smooth_l1_loss(x, x.detach() * 0.5, beta=0.7),
    "bce weighted": lambda x: F.binary_cross_entropy_with_logits(x, (x.detach() > 0).float(), weight=x.detach().abs(),
                                                                 pos_weight=torch.tensor(2.0)),
}


class Given(nn.Module):
    """x = image · weight + bias, and the function of it."""

    def __init__(self, function):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(4, 1, 1)), nn.Parameter(torch.randn(4, 6, 6))
        self.function = function

    def forward(self, image):
        return self.function(image * self.weight + self.bias)


class Normed(Given):
    """Modules with parameters or buffers of their own after the same."""

    def __init__(self, make, before=lambda x: x):
        super().__init__(None)
        self.module, self.before = make(), before

    def forward(self, image):
        return self.module(self.before(image * self.weight + self.bias))


class SelfAttention(nn.MultiheadAttention):
    def __init__(self):
        super().__init__(12, 2, batch_first=True)

    def forward(self, x):
        return super().forward(x, x, x, need_weights=False)[0]


MODULES = {
    "instance norm": lambda: Normed(lambda: nn.InstanceNorm2d(4, affine=True)),
    "instance norm with running statistics": lambda: Normed(
        lambda: nn.InstanceNorm2d(4, affine=True, track_running_stats=True)),
    "two activations after batch norm": lambda: Normed(
        lambda: nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.LeakyReLU(0.1))),
    "two leaky activations after batch norm": lambda: Normed(
        lambda: nn.Sequential(nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.LeakyReLU(0.3))),
    "two leaky activations after instance norm": lambda: Normed(
        lambda: nn.Sequential(nn.InstanceNorm2d(4), nn.LeakyReLU(0.2), nn.LeakyReLU(0.3))),
    "two activations after a convolution": lambda: Normed(
        lambda: nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU(), nn.LeakyReLU(0.3))),
    "instance norm 3-d": lambda: Normed(lambda: nn.InstanceNorm3d(4), volume),
    "batch norm 3-d": lambda: Normed(lambda: nn.BatchNorm3d(4), volume),
    "batch norm 1-d": lambda: Normed(lambda: nn.BatchNorm1d(4), line),
    "layer norm": lambda: Normed(lambda: nn.LayerNorm((6, 6))),
    "rms norm": lambda: Normed(lambda: nn.RMSNorm(6)),
    "prelu": lambda: Normed(lambda: nn.PReLU(4)),
    "conv1d circular": lambda: Normed(lambda: nn.Conv1d(4, 5, 3, padding=2, padding_mode="circular"), line),
    "conv2d reflect": lambda: Normed(lambda: nn.Conv2d(4, 6, 3, padding=1, groups=2, padding_mode="reflect")),
    "conv2d replicate": lambda: Normed(lambda: nn.Conv2d(4, 5, 3, padding=1, stride=2, padding_mode="replicate")),
    "conv3d": lambda: Normed(lambda: nn.Conv3d(4, 3, 3, padding=1, dilation=(2, 1, 1), stride=(1, 2, 1)), volume),
    "conv_transpose3d": lambda: Normed(lambda: nn.ConvTranspose3d(4, 3, 3, 2, 1, output_padding=(1, 0, 1)), volume),
    "bilinear upsampling module": lambda: Normed(lambda: nn.UpsamplingBilinear2d(scale_factor=2)),
    "multi-head attention": lambda: Normed(SelfAttention, lambda x: x.reshape(x.shape[0], 12, 12)),
}


class Clipping(Given):
    """Changes its own weight, which lasts."""

    def forward(self, image):
        with torch.no_grad():
            self.weight.clamp_(-0.5, 0.5)
        return image * self.weight


class Remembering(Given):
    """A running mean that the next step reads."""

    def __init__(self, function):
        super().__init__(function)
        self.register_buffer("mean", torch.zeros(1))

    def forward(self, image):
        self.mean.mul_(0.9).add_(image.detach().mean() * 0.1)
        return image * self.weight - self.mean


REFUSED = {"a weight that is clipped in place": Clipping, "a buffer that is updated in place": Remembering}


def loss_of(module, batch):
    value = module(batch["image"])
    return (value * value).mean() + value.mean()


def close(a, b):
    return (a - b).abs().max() <= 1e-5 * b.abs().max().clamp_min(0.1)


def main():
    folder, seed = pathlib.Path(sys.argv[1]), int(sys.argv[3])
    sys.path.insert(0, sys.argv[2])
    import recording
    from llmbench_helper import capture, interpreter, ops

    makers = {name: (lambda f=function: Given(f)) for name, function in FUNCTIONS.items()} | MODULES
    wrong, graphs, tensors_of = [], {}, {}
    for name, make in makers.items():
        torch.manual_seed(seed)
        module = make()
        image = torch.randn(4, 4, 6, 6)
        start = {k: t.clone() for k, t in module.state_dict().items()}
        constants = {}
        try:
            graph, _ = recording.record(module, loss_of, [{"image": image}, {"image": image[:3].clone()}], "train", constants)
        except Exception as problem:
            wrong.append(f"{name}: {type(problem).__name__}: {problem}")
            continue
        module.load_state_dict(start)
        loss = loss_of(module, {"image": image})
        loss.backward()
        gradients = {k: p.grad for k, p in module.named_parameters() if p.grad is not None}
        tensors = {k: t.clone().requires_grad_(k in gradients) for k, t in start.items()} | constants
        value = interpreter.Interpreter(graph).run({"image": image}, tensors)["loss"]
        value.backward()
        pairs = [("loss", value, loss)] + [(k, tensors[k].grad, g) for k, g in gradients.items()]
        for what, a, b in pairs:
            if a is None or not close(a, b):
                wrong.append(f"{name}: {what} of the interpreter differs from PyTorch's by {(a - b).abs().max():.1e}")
        held = start | constants | {"image": image, "loss": loss.detach().reshape(1)}
        held |= {"gradient." + k: g for k, g in gradients.items()}
        held |= {"after." + k: b for k, b in module.named_buffers() if b.is_floating_point()}
        graphs[name] = graph
        tensors_of |= {f"{name}/{k}": t.contiguous().clone() for k, t in held.items()}
    for name, make in REFUSED.items():
        image = torch.randn(4, 4, 6, 6)
        try:
            recording.record(make(None), loss_of, [{"image": image}, {"image": image[:3].clone()}], "train", {})
            wrong.append(f"{name}: was not refused")
        except ops.Refused as refusal:
            if "in place" not in str(refusal):
                wrong.append(f"{name}: refused for another reason: {refusal}")
    capture.write_json(str(folder / "captured-graphs.json"), graphs)
    save_file(tensors_of, str(folder / "captured-graphs.safetensors"))
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
