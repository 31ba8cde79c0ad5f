# model.py
import torch
import torch.nn as nn
import torch.nn.functional as F
from torchvision.transforms.functional import center_crop


class Valid(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(a, b, 3), nn.ReLU(), nn.Conv2d(b, b, 3), nn.ReLU())

    def forward(self, x):
        return self.net(x)


class UNet(nn.Module):
    """Convolutions without padding as in 2015: skips are cropped, and the result is enlarged to the input."""

    def __init__(self, channels=(1, 8, 16, 32)):
        super().__init__()
        self.left = nn.ModuleList(Valid(channels[i], channels[i + 1]) for i in range(len(channels) - 1))
        self.pool = nn.MaxPool2d(2)
        reverse = channels[:0:-1]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(reverse[i], reverse[i + 1], 2, 2) for i in range(len(reverse) - 1))
        self.right = nn.ModuleList(Valid(reverse[i], reverse[i + 1]) for i in range(len(reverse) - 1))
        self.last = nn.Conv2d(channels[1], 1, 1)

    def forward(self, x):
        size = x.shape[-2:]
        features = []
        for block in self.left:
            x = block(x)
            features.append(x)
            x = self.pool(x)
        x = features.pop()
        for up, block in zip(self.up, self.right):
            x = up(x)
            skip = center_crop(features.pop(), list(x.shape[-2:]))
            x = block(torch.cat([skip, x], 1))
        x = self.last(x)
        return F.interpolate(x, size)
