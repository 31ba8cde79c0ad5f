import argparse
import tempfile
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--out", default=tempfile.mkdtemp())
parser.add_argument("--epochs", type=int, default=1)
args = parser.parse_args()

model = nn.Conv2d(3, 1, 1)
best = 0.0
for epoch in range(args.epochs):
    dice = 0.5
    if dice > best:
        best = dice
        torch.save(model.state_dict(), args.out)
print("best", best)
