# model.py
import torch.nn as nn


class Residual(nn.Module):
    def __init__(self, ch_in, ch_out, down=False):
        super().__init__()
        stride = 2 if down else 1
        self.main = nn.Sequential(
            nn.Conv2d(ch_in, ch_out, 3, stride, 1), nn.InstanceNorm2d(ch_out), nn.LeakyReLU(0.2),
            nn.Conv2d(ch_out, ch_out, 3, 1, 1), nn.InstanceNorm2d(ch_out))
        self.side = nn.Identity() if ch_in == ch_out and not down else nn.Conv2d(ch_in, ch_out, 1, stride)
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, x):
        return self.activation(self.main(x) + self.side(x))


class Rise(nn.Module):
    """Squeezes, enlarges, widens."""

    def __init__(self, ch_in, ch_out):
        super().__init__()
        q = ch_in // 4
        self.path = nn.Sequential(
            nn.Conv2d(ch_in, q, 1), nn.LeakyReLU(0.2), nn.ConvTranspose2d(q, q, 3, 2, 1, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(q, ch_out, 3, padding=1), nn.LeakyReLU(0.2))

    def forward(self, x):
        return self.path(x)


class UNet(nn.Module):
    """Skips are added, so that nothing widens on the way up."""

    def __init__(self):
        super().__init__()
        self.s0 = Residual(1, 8)
        self.s1 = Residual(8, 16, down=True)
        self.s2 = Residual(16, 32, down=True)
        self.r2, self.r1 = Rise(32, 16), Rise(16, 8)
        self.final = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, x):
        x0 = self.s0(x)
        x1 = self.s1(x0)
        x2 = self.s2(x1)
        y = self.r2(x2) + x1
        y = self.r1(y) + x0
        return self.final(y)
