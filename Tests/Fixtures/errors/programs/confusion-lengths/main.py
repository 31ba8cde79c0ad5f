import numpy as np
import torch
import torch.nn as nn
from metrics import scores

model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 1, 1), nn.Sigmoid())
image = torch.rand(1, 1, 32, 32)
mask = (np.random.default_rng(0).random((32, 32)) > 0.5).astype(np.uint8)
with torch.no_grad():
    prediction = (model(image)[0, 0] > 0.5).numpy().astype(np.uint8)
print(scores(mask, prediction))
