# model.py
import torch
from torch import nn


class LayerNorm2d(nn.LayerNorm):
    """Over the channels of each pixel."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.pwconv1, self.act, self.pwconv2 = nn.Linear(dim, 3 * dim), nn.GELU(), nn.Linear(3 * dim, dim)
        self.gamma = nn.Parameter(0.1 * torch.ones(dim))

    def forward(self, x):
        y = self.dwconv(x).permute(0, 2, 3, 1)
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(self.norm(y))))
        return x + y.permute(0, 3, 1, 2)


class UNet(nn.Module):
    def __init__(self, dims=(8, 16, 24)):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, dims[0], 3, padding=1), LayerNorm2d(dims[0], eps=1e-6))
        self.enc = nn.ModuleList([ConvNeXtBlock(d) for d in dims])
        self.shrink = nn.ModuleList([nn.Sequential(LayerNorm2d(a, eps=1e-6), nn.Conv2d(a, b, 2, stride=2))
                                     for a, b in zip(dims, dims[1:])])
        self.grow = nn.ModuleList([nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in zip(dims[-2::-1], dims[:0:-1])])
        self.fuse = nn.ModuleList([nn.Conv2d(2 * a, a, 1) for a in dims[-2::-1]])
        self.dec = nn.ModuleList([ConvNeXtBlock(a) for a in dims[-2::-1]])
        self.head = nn.Conv2d(dims[0], 1, 1)
        self.apply(self._init)

    @staticmethod
    def _init(m):
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(m.weight, std=0.05)
            if m.bias is not None:
                nn.init.zeros_(m.bias)

    def forward(self, x):
        skips = []
        x = self.stem(x)
        for k, block in enumerate(self.enc):
            x = block(x)
            if k < len(self.shrink):
                skips.append(x)
                x = self.shrink[k](x)
        for grow, fuse, block in zip(self.grow, self.fuse, self.dec):
            x = block(fuse(torch.cat([grow(x), skips.pop()], dim=1)))
        return self.head(x)
