# model.py
from collections import OrderedDict

import torch
from torch import nn


def separable(i, o, stride=1):
    return nn.Sequential(OrderedDict([
        ("depthwise", nn.Conv2d(i, i, 3, stride, 1, groups=i, bias=False)),
        ("norm1", nn.BatchNorm2d(i)),
        ("relu1", nn.ReLU6(inplace=True)),
        ("pointwise", nn.Conv2d(i, o, 1, bias=False)),
        ("norm2", nn.BatchNorm2d(o)),
        ("relu2", nn.ReLU6(inplace=True)),
    ]))


def shuffle_channels(x, groups):
    n, c, h, w = x.size()
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


class UNet(nn.Module):
    """Depthwise separable convolutions, with channels shuffled after each join."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, padding=1)
        self.enc1 = separable(8, 12)
        self.enc2 = separable(12, 20, stride=2)
        self.mid = nn.Sequential(separable(20, 32, stride=2), separable(32, 32))
        self.reduce2, self.reduce1 = nn.Conv2d(32, 20, 1), nn.Conv2d(20, 12, 1)
        self.dec2, self.dec1 = separable(40, 20), separable(24, 12)
        self.last = nn.Conv2d(12, 1, 1)

    def forward(self, x):
        a = self.enc1(self.first(x))
        b = self.enc2(a)
        m = self.mid(b)
        y = nn.functional.interpolate(self.reduce2(m), scale_factor=2.0, mode="nearest")
        y = self.dec2(shuffle_channels(torch.cat([y, b], 1), 2))
        y = nn.functional.interpolate(self.reduce1(y), scale_factor=2.0, mode="nearest")
        y = self.dec1(shuffle_channels(torch.cat([y, a], 1), 2))
        return torch.sigmoid(self.last(y))
