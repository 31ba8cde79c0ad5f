import torch
from torch import nn


def block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.LeakyReLU(0.1), nn.Conv2d(o, o, 3, padding=1), nn.LeakyReLU(0.1))


def crop(skip, x):
    top, left = (skip.shape[2] - x.shape[2]) // 2, (skip.shape[3] - x.shape[3]) // 2
    return skip[:, :, top:top + x.shape[2], left:left + x.shape[3]]


class SmallUNet(nn.Module):
    def __init__(self, base=8):
        super().__init__()
        self.e1, self.e2, self.e3 = block(3, base), block(base, base * 2), block(base * 2, base * 4)
        self.u2, self.u1 = nn.ConvTranspose2d(base * 4, base * 2, 2, stride=2), nn.ConvTranspose2d(base * 2, base, 2, stride=2)
        self.d2, self.d1 = block(base * 4, base * 2), block(base * 2, base)
        self.drop = nn.Dropout(0.2)
        self.pool = nn.AvgPool2d(2)
        self.head = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        a = self.e1(x)
        b = self.e2(self.pool(a))
        c = self.drop(self.e3(self.pool(b)[:, :, 1:-1, 1:-1]))
        y = self.u2(c)
        y = self.d2(torch.cat((crop(b, y), y), 1))
        y = self.u1(y)
        y = self.d1(torch.cat((crop(a, y), y), 1))
        y = self.head(y)
        return nn.functional.interpolate(y, size=x.shape[2:], mode="nearest")
