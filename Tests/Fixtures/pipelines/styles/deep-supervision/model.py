# model.py
import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(i, o, 3, 1, 1), nn.InstanceNorm2d(o, affine=True), nn.LeakyReLU(1e-2, True),
            nn.Conv2d(o, o, 3, 1, 1), nn.InstanceNorm2d(o, affine=True), nn.LeakyReLU(1e-2, True))

    def forward(self, x):
        return self.layers(x)


class UNet(nn.Module):
    """In training it answers at every level of the decoder, in evaluation at the finest one alone."""

    def __init__(self, widths=(8, 12, 16, 24)):
        super().__init__()
        self.down = nn.ModuleList([Block(i, o) for i, o in zip((1, *widths[:-1]), widths)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(b, a, 2, 2) for a, b in zip(widths[-2::-1], widths[:0:-1])])
        self.merge = nn.ModuleList([Block(2 * a, a) for a in widths[-2::-1]])
        self.heads = nn.ModuleList([nn.Conv2d(a, 1, 1) for a in widths[-2::-1]])

    def forward(self, x):
        skips = []
        for k, block in enumerate(self.down):
            x = block(x if k == 0 else F.max_pool2d(x, 2))
            skips.append(x)
        skips.pop()
        outputs = []
        for up, merge, head in zip(self.up, self.merge, self.heads):
            x = merge(torch.cat([up(x), skips.pop()], 1))
            outputs.append(head(x))
        return outputs[::-1] if self.training else outputs[-1]
