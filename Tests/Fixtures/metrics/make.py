#!/usr/bin/env python3
"""Writes pytorch.json: what PyTorch makes of resizing and of the common losses. Run with the project's Python environment."""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(7)
resize = []
for h, w, to_h, to_w in [(3, 4, 7, 9), (5, 5, 2, 3), (4, 6, 4, 6), (1, 1, 3, 2), (7, 3, 13, 3), (9, 8, 31, 45)]:
    x = torch.rand(1, 1, h, w)
    size = (to_h, to_w)
    resize.append({
        "height": h, "width": w, "toHeight": to_h, "toWidth": to_w, "input": x.flatten().tolist(),
        "bilinear": F.interpolate(x, size=size, mode="bilinear", align_corners=False).flatten().tolist(),
        "nearest": F.interpolate(x, size=size, mode="nearest").flatten().tolist(),
    })
p = torch.rand(40)
t = (torch.rand(40) > 0.6).float()
p[0], t[0], p[1], t[1] = 0.0, 1.0, 1.0, 0.0
clamped = p.double().clamp(1e-7, 1 - 1e-7)
losses = {
    "probability": p.tolist(), "truth": t.tolist(), "bce": F.binary_cross_entropy(clamped, t.double()).item(),
    "softDice": (2 * (p.double() * t).sum() / (p.double().sum() + t.double().sum())).item(),
}
target = pathlib.Path(__file__).parent / "pytorch.json"
target.write_text(json.dumps({"resize": resize, "losses": losses}) + "\n")
