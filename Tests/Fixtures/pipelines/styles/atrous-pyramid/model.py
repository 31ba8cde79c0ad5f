# model.py
import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvNorm(nn.Sequential):
    def __init__(self, i, o, k=3, d=1):
        super().__init__(nn.Conv2d(i, o, k, padding=d * (k // 2), dilation=d, bias=False), nn.BatchNorm2d(o), nn.ReLU())


class Pyramid(nn.Module):
    """Several dilations side by side, and the mean of the whole picture."""

    def __init__(self, i, o, dilations=(1, 2, 3)):
        super().__init__()
        self.branches = nn.ModuleList(ConvNorm(i, o, 1 if d == 1 else 3, d) for d in dilations)
        self.context = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(i, o, 1), nn.ReLU())
        self.project = ConvNorm(o * (len(dilations) + 1), o, 1)

    def forward(self, x):
        found = [branch(x) for branch in self.branches]
        found.append(self.context(x).expand(-1, -1, *x.shape[2:]))
        return self.project(torch.cat(found, 1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = ConvNorm(1, 8), ConvNorm(8, 16), ConvNorm(16, 24)
        self.pyramid = Pyramid(24, 24)
        self.drop = nn.Dropout2d(0.15)
        self.d, self.e = ConvNorm(24 + 16, 16), ConvNorm(16 + 8, 8)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 3, stride=2, padding=1))
        c = self.drop(self.pyramid(self.c(F.max_pool2d(b, 3, stride=2, padding=1))))
        d = self.d(torch.cat([F.interpolate(c, size=b.shape[-2:], mode="bicubic", align_corners=False), b], 1))
        e = self.e(torch.cat([F.interpolate(d, size=a.shape[-2:], mode="bicubic", align_corners=False), a], 1))
        return self.out(e)
