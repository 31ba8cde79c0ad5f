# model.py
import torch
import torch.nn as nn


class PreNormConv(nn.Module):
    def __init__(self, a, b, groups=2):
        super().__init__()
        self.f = nn.Sequential(nn.GroupNorm(groups, a), nn.Hardswish(), nn.Conv2d(a, b, 3, padding=1),
                               nn.GroupNorm(groups, b), nn.Hardswish(), nn.Conv2d(b, b, 3, padding=1))

    def forward(self, x):
        return self.f(x)


class UNet(nn.Module):
    def __init__(self, base=8):
        super().__init__()
        self.stem = nn.Conv2d(3, base, 3, padding=1)
        self.e1, self.e2, self.e3 = PreNormConv(base, base), PreNormConv(base, base * 2), PreNormConv(base * 2, base * 2)
        self.u2, self.u1 = nn.ConvTranspose2d(base * 2, base * 2, 2, 2), nn.ConvTranspose2d(base * 2, base, 2, 2)
        self.d2, self.d1 = PreNormConv(base * 4, base * 2), PreNormConv(base * 2, base)
        self.head = nn.Conv2d(base, 1, 3, padding=1)

    def forward(self, x):
        a = self.e1(self.stem(x))
        b = self.e2(nn.functional.avg_pool2d(a, 2))
        y = self.u2(self.e3(nn.functional.avg_pool2d(b, 2)))
        y = self.u1(self.d2(torch.cat([b, y], 1)))
        return self.head(self.d1(torch.cat([a, y], 1)))
