# model.py
from __future__ import annotations

import torch
from torch import Tensor, nn


def norm(channels: int) -> nn.Module:
    return nn.GroupNorm(num_groups=4, num_channels=channels)


class Stage(nn.Sequential):
    def __init__(self, inputs: int, outputs: int):
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect"), norm(outputs), nn.SiLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, padding_mode="reflect"), norm(outputs), nn.SiLU())


class UNet(nn.Module):
    """Strided convolutions go down, nearest neighbours and a convolution go up."""

    def __init__(self, channels: list[int]):
        super().__init__()
        self.stem = Stage(3, channels[0])
        pairs = list(zip(channels, channels[1:]))
        self.down = nn.ModuleList(nn.Conv2d(a, a, 3, stride=2, padding=1) for a, _ in pairs)
        self.encode = nn.ModuleList(Stage(a, b) for a, b in pairs)
        self.up = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(b, a, 3, padding=1)) for a, b in reversed(pairs))
        self.decode = nn.ModuleList(Stage(2 * a, a) for a, _ in reversed(pairs))
        self.final = nn.Conv2d(channels[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = [self.stem(x)]
        for down, encode in zip(self.down, self.encode):
            skips.append(encode(down(skips[-1])))
        y = skips.pop()
        for up, decode in zip(self.up, self.decode):
            y = decode(torch.cat((up(y), skips.pop()), 1))
        return self.final(y)
