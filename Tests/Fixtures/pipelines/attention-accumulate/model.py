import torch
import torch.nn as nn


class SE(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.fc = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, c // 4), nn.ReLU(inplace=True),
                                nn.Linear(c // 4, c), nn.Sigmoid())

    def forward(self, x):
        return x * self.fc(x).view(x.size(0), -1, 1, 1)


class Residual(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.GroupNorm(4, o), nn.SiLU(inplace=True),
                                  nn.Conv2d(o, o, 3, padding=1), nn.GroupNorm(4, o))
        self.short = nn.Conv2d(i, o, 1) if i != o else nn.Identity()
        self.se = SE(o)

    def forward(self, x):
        y = self.se(self.conv(x))
        y += self.short(x)
        return torch.relu(y)


class Gate(nn.Module):
    def __init__(self, g, x, inner):
        super().__init__()
        self.g, self.x, self.psi = nn.Conv2d(g, inner, 1), nn.Conv2d(x, inner, 1), nn.Conv2d(inner, 1, 1)

    def forward(self, g, x):
        return x * torch.sigmoid(self.psi(torch.relu(self.g(g) + self.x(x))))


class AttentionUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.e1, self.e2, self.e3 = Residual(1, 8), Residual(8, 16), Residual(16, 32)
        self.pool = nn.MaxPool2d(2)
        self.u2, self.u1 = nn.ConvTranspose2d(32, 16, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)
        self.g2, self.g1 = Gate(16, 16, 8), Gate(8, 8, 4)
        self.d2, self.d1 = Residual(32, 16), Residual(16, 8)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = self.e1(x)
        b = self.e2(self.pool(a))
        y = self.u2(self.e3(self.pool(b)))
        y = self.d2(torch.cat([self.g2(y, b), y], 1))
        y = self.u1(y)
        y = self.d1(torch.cat([self.g1(y, a), y], 1))
        return self.out(y).squeeze(1)
