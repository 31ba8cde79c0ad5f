# model.py
import torch
import torch.nn as nn


class Conv(nn.Module):
    def __init__(self, c1, c2):
        super().__init__()
        self.a = nn.Conv2d(c1, c2, 3, padding=1)
        self.b = nn.Conv2d(c2, c2, 3, padding=1)
        self.na, self.nb = nn.InstanceNorm2d(c2, affine=True), nn.InstanceNorm2d(c2, affine=True)
        self.act = nn.PReLU(c2)

    def forward(self, x):
        return self.act(self.nb(self.b(self.act(self.na(self.a(x))))))


class AttentionGate(nn.Module):
    """Additive attention: what comes from below decides where to look in the skip."""

    def __init__(self, gate_channels, skip_channels, inner):
        super().__init__()
        self.w_gate = nn.Sequential(nn.Conv2d(gate_channels, inner, 1), nn.BatchNorm2d(inner))
        self.w_skip = nn.Sequential(nn.Conv2d(skip_channels, inner, 1), nn.BatchNorm2d(inner))
        self.psi = nn.Sequential(nn.Conv2d(inner, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, gate, skip):
        return skip * self.psi(torch.relu(self.w_gate(gate) + self.w_skip(skip)))


class UNet(nn.Module):
    def __init__(self, c=(6, 12, 24)):
        super().__init__()
        self.c1, self.c2, self.c3 = Conv(1, c[0]), Conv(c[0], c[1]), Conv(c[1], c[2])
        self.p = nn.AvgPool2d(2)
        self.u2, self.u1 = nn.ConvTranspose2d(c[2], c[1], 4, 2, 1), nn.ConvTranspose2d(c[1], c[0], 4, 2, 1)
        self.a2, self.a1 = AttentionGate(c[1], c[1], c[0]), AttentionGate(c[0], c[0], c[0] // 2)
        self.d2, self.d1 = Conv(2 * c[1], c[1]), Conv(2 * c[0], c[0])
        self.o = nn.Sequential(nn.Conv2d(c[0], 1, 1), nn.Sigmoid())

    def forward(self, x):
        s1 = self.c1(x)
        s2 = self.c2(self.p(s1))
        b = self.c3(self.p(s2))
        g2 = self.u2(b)
        d2 = self.d2(torch.cat([self.a2(g2, s2), g2], 1))
        g1 = self.u1(d2)
        d1 = self.d1(torch.cat([self.a1(g1, s1), g1], 1))
        return self.o(d1)
