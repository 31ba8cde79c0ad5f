import json, os
import torch
from train import evaluate

out = "/tmp/metrics"
os.makedirs(out, exist_ok=True)
images = torch.rand(3, 1, 12, 12)
metrics = evaluate(torch.nn.Conv2d(1, 1, 1), images, (images > 0.4).float())
with open(os.path.join(out, "metrics.json"), "w") as f:
    json.dump(metrics, f, indent=2)
