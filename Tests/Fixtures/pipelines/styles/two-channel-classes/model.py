# model.py
import torch
import torch.nn as nn


def cbr(i, o, k=3):
    return [nn.Conv2d(i, o, k, padding=k // 2), nn.BatchNorm2d(o, momentum=0.05), nn.LeakyReLU(0.01, inplace=True)]


class UNet(nn.Module):
    """Recursive: a level holds the level below it."""

    class Level(nn.Module):
        def __init__(self, outer, inner, below=None):
            super().__init__()
            self.before = nn.Sequential(*cbr(outer, inner), *cbr(inner, inner))
            self.below = below
            if below is not None:
                self.pool = nn.MaxPool2d(2, ceil_mode=True)
                self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
                self.after = nn.Sequential(*cbr(3 * inner, inner), *cbr(inner, inner))

        def forward(self, x):
            x = self.before(x)
            if self.below is None:
                return x
            y = self.up(self.below(self.pool(x)))
            return self.after(torch.cat([x, y], dim=1))

    def __init__(self, features=(6, 12, 24), classes=2):
        super().__init__()
        level = None
        for outer, inner in reversed(list(zip((1,) + tuple(features[:-1]), features))):
            level = self.Level(outer, inner, level)
        self.top = level
        self.classify = nn.Conv2d(features[0], classes, 1)

    def forward(self, x):
        return self.classify(self.top(x))
