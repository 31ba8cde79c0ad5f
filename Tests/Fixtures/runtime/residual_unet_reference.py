"""The U-Net with an encoder of residual blocks, written in PyTorch from its description alone.

    python residual_unet_reference.py FOLDER

FOLDER/start.safetensors has the weights by name, and a batch `image`, `mask`. Writes FOLDER/reference.safetensors: `loss` and `gradient.NAME`
in training mode, and `probability` in evaluation mode with the running statistics of the start.
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


def conv_norm(x, conv, norm, training):
    weight = weights[f"{conv}.weight"]
    x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
    mean, variance = (weights[f"{norm}.running_{k}"].detach().clone() for k in ("mean", "var"))
    return F.batch_norm(x, mean, variance, weights[f"{norm}.weight"], weights[f"{norm}.bias"], training)


def double(x, name, training, residual):
    y = F.relu(conv_norm(x, f"{name}.0", f"{name}.1", training))
    y = conv_norm(y, f"{name}.3", f"{name}.4", training)
    if residual:
        same = f"{name}.shortcut.0.weight" not in weights
        y = y + (x if same else conv_norm(x, f"{name}.shortcut.0", f"{name}.shortcut.1", training))
    return F.relu(y)


def forward(x, training):
    skips = []
    for stage in range(1, depth + 1):
        x = double(x, f"enc{stage}", training, True)
        skips.append(x)
        x = F.max_pool2d(x, 2)
    x = double(x, "bottleneck", training, True)
    for stage in range(depth, 0, -1):
        up = F.conv_transpose2d(x, weights[f"up{stage}.weight"], weights[f"up{stage}.bias"], stride=2)
        x = double(torch.cat([up, skips[stage - 1]], 1), f"dec{stage}", training, False)
    return F.conv2d(x, weights["final.weight"], weights["final.bias"])


loss = F.binary_cross_entropy_with_logits(forward(start["image"], True), start["mask"])
loss.backward()
results = {f"gradient.{k}": v.grad for k, v in weights.items() if v.grad is not None}
results["loss"] = loss.detach()
with torch.no_grad():
    results["probability"] = torch.sigmoid(forward(start["image"], False))
save_file(results, str(folder / "reference.safetensors"))
