# model.py
import torch
import torch.nn as nn


class Node(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.c = nn.Conv2d(i, o, 3, padding=1)
        self.n = nn.BatchNorm2d(o)
        self.a = nn.Mish()

    def forward(self, x):
        return self.a(self.n(self.c(x)))


class UNet(nn.Module):
    """Nested skips: node (i, j) joins all earlier nodes of its level with the one below."""

    def __init__(self, f=(6, 10, 14)):
        super().__init__()
        self.depth = len(f)
        self.pool = nn.MaxPool2d(2, 2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        for i in range(self.depth):
            for j in range(self.depth - i):
                inputs = (1 if i == 0 else f[i - 1]) if j == 0 else f[i] * j + f[i + 1]
                setattr(self, f"x{i}{j}", Node(inputs, f[i]))
        self.final = nn.Conv2d(f[0], 1, 1)

    def forward(self, x):
        grid = {}
        for i in range(self.depth):
            grid[i, 0] = getattr(self, f"x{i}0")(x if i == 0 else self.pool(grid[i - 1, 0]))
        for j in range(1, self.depth):
            for i in range(self.depth - j):
                row = [grid[i, k] for k in range(j)]
                grid[i, j] = getattr(self, f"x{i}{j}")(torch.cat(row + [self.up(grid[i + 1, j - 1])], 1))
        return self.final(grid[0, self.depth - 1])
