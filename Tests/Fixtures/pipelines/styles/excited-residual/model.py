# model.py
import torch
import torch.nn as nn
import torch.nn.functional as F


class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduction=4):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        w = x.mean(dim=(2, 3))
        w = torch.sigmoid(self.fc2(F.relu(self.fc1(w))))
        return x * w[:, :, None, None]


class ResidualSE(nn.Module):
    def __init__(self, ci, co, stride=1):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(ci), nn.BatchNorm2d(co)
        self.c1 = nn.Conv2d(ci, co, 3, stride=stride, padding=1, bias=False)
        self.c2 = nn.Conv2d(co, co, 3, padding=1, bias=False)
        self.se = SqueezeExcite(co)
        self.skip = nn.Conv2d(ci, co, 1, stride=stride, bias=False)

    def forward(self, x):
        y = self.c1(F.gelu(self.bn1(x)))
        y = self.c2(F.gelu(self.bn2(y)))
        return self.se(y) + self.skip(x)


class UNet(nn.Module):
    """Pre-activation residual blocks; strides in place of pooling; the sigmoid is left to the loss."""

    def __init__(self, w=8):
        super().__init__()
        self.stem = nn.Conv2d(3, w, 5, padding=2)
        self.r1 = ResidualSE(w, w)
        self.r2 = ResidualSE(w, 2 * w, stride=2)
        self.r3 = ResidualSE(2 * w, 4 * w, stride=2)
        self.t2 = nn.ConvTranspose2d(4 * w, 2 * w, 3, stride=2, padding=1, output_padding=1)
        self.q2 = ResidualSE(4 * w, 2 * w)
        self.t1 = nn.ConvTranspose2d(2 * w, w, 3, stride=2, padding=1, output_padding=1)
        self.q1 = ResidualSE(2 * w, w)
        self.head = nn.Conv2d(w, 1, 1)

    def forward(self, x):
        a = self.r1(self.stem(x))
        b = self.r2(a)
        c = self.r3(b)
        d = self.q2(torch.concat([self.t2(c), b], dim=1))
        e = self.q1(torch.concat([self.t1(d), a], dim=1))
        return self.head(e)[:, 0]
