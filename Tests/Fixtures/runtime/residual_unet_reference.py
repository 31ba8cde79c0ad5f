"""The U-Net with an encoder of residual blocks, written in PyTorch from its description alone.

    python residual_unet_reference.py FOLDER

FOLDER/start.safetensors has the weights by name, and a batch `image`, `mask`. Writes FOLDER/reference.safetensors: `loss` and `gradient.NAME`
in training mode, `probability` in evaluation mode with the running statistics of the start, and `kink`: how near, in training mode, an input of
a ReLU is to zero, or the two largest values of a pooling window to each other. Where that is within rounding, the gradient is not defined by the
network alone: two correct programs may take either side.
"""

import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

folder = pathlib.Path(sys.argv[1])
start = load_file(str(folder / "start.safetensors"))
depth = max(int(name[3]) for name in start if name.startswith("enc"))
weights = {k: v.clone().requires_grad_("running" not in k) for k, v in start.items() if k not in ("image", "mask")}

kinks = []


def relu(x):
    kinks.append(x.detach().abs().min())
    return F.relu(x)


def max_pool(x):
    first, second = F.unfold(x.detach(), 2, stride=2).unflatten(1, (-1, 4)).topk(2, dim=2).values.unbind(2)
    # Zeros are behind a ReLU that is shut: whichever of them is taken, no gradient passes.
    kinks.append((first - second)[first > 0].min())
    return F.max_pool2d(x, 2)


def conv_norm(x, conv, norm, training):
    weight = weights[f"{conv}.weight"]
    x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
    mean, variance = (weights[f"{norm}.running_{k}"].detach().clone() for k in ("mean", "var"))
    return F.batch_norm(x, mean, variance, weights[f"{norm}.weight"], weights[f"{norm}.bias"], training)


def double(x, name, training, residual):
    y = relu(conv_norm(x, f"{name}.0", f"{name}.1", training))
    y = conv_norm(y, f"{name}.3", f"{name}.4", training)
    if residual:
        same = f"{name}.shortcut.0.weight" not in weights
        y = y + (x if same else conv_norm(x, f"{name}.shortcut.0", f"{name}.shortcut.1", training))
    return relu(y)


def forward(x, training):
    skips = []
    for stage in range(1, depth + 1):
        x = double(x, f"enc{stage}", training, True)
        skips.append(x)
        x = max_pool(x)
    x = double(x, "bottleneck", training, True)
    for stage in range(depth, 0, -1):
        up = F.conv_transpose2d(x, weights[f"up{stage}.weight"], weights[f"up{stage}.bias"], stride=2)
        x = double(torch.cat([up, skips[stage - 1]], 1), f"dec{stage}", training, False)
    return F.conv2d(x, weights["final.weight"], weights["final.bias"])


loss = F.binary_cross_entropy_with_logits(forward(start["image"], True), start["mask"])
loss.backward()
results = {f"gradient.{k}": v.grad for k, v in weights.items() if v.grad is not None}
results["loss"] = loss.detach()
results["kink"] = torch.stack(kinks).min()
with torch.no_grad():
    results["probability"] = torch.sigmoid(forward(start["image"], False))
save_file(results, str(folder / "reference.safetensors"))
