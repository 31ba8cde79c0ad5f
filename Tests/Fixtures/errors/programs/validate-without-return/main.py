import torch
from train import validate

model = torch.nn.Conv2d(1, 1, 1)
best = 0.0
for epoch in range(2):
    dice = validate(model)
    if dice > best:
        best = dice
        print("new best", best)
