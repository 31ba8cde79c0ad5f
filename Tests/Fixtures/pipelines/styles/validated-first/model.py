# model.py
import math

import torch
import torch.nn as nn


class SameConv(nn.Conv2d):
    """3 × 3 with replicated borders."""

    def __init__(self, i, o):
        super().__init__(i, o, 3, padding=1, padding_mode="replicate")


class UNet(nn.Module):
    def __init__(self, base=8, levels=3):
        super().__init__()
        c = [base * 2 ** k for k in range(levels)]
        self.encoders = nn.ModuleList()
        self.decoders = nn.ModuleList()
        last = 1
        for width in c:
            self.encoders.append(nn.Sequential(SameConv(last, width), nn.BatchNorm2d(width), nn.ReLU(),
                                               SameConv(width, width), nn.BatchNorm2d(width), nn.ReLU()))
            last = width
        for width in c[-2::-1]:
            self.decoders.append(nn.ModuleList([
                nn.Conv2d(2 * width, 4 * width, 1), nn.PixelShuffle(2),
                nn.Sequential(SameConv(2 * width, width), nn.BatchNorm2d(width), nn.ReLU())]))
        self.score = nn.Conv2d(base, 1, 1)
        # A rare foreground: begin with its share as the probability everywhere.
        nn.init.constant_(self.score.bias, -math.log((1 - 0.1) / 0.1))

    def forward(self, x):
        stack = []
        for k, encoder in enumerate(self.encoders):
            x = encoder(x if k == 0 else torch.nn.functional.max_pool2d(x, kernel_size=2))
            stack.append(x)
        stack.pop()
        for widen, shuffle, block in self.decoders:
            x = block(torch.cat([stack.pop(), shuffle(widen(x))], dim=1))
        return self.score(x)
