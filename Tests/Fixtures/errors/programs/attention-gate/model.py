import torch
import torch.nn as nn


class AttentionGate(nn.Module):
    def __init__(self, gate, skip, inner):
        super().__init__()
        self.wg = nn.Conv2d(gate, inner, 1)
        self.wx = nn.Conv2d(skip, inner, 1)
        self.psi = nn.Conv2d(inner, 1, 1)

    def forward(self, g, x):
        a = torch.relu(self.wg(g) + self.wx(x))
        return x * torch.sigmoid(self.psi(a))


class AttentionUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = nn.Conv2d(3, 16, 3, padding=1)
        self.enc2 = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1))
        self.gate = AttentionGate(32, 16, 8)
        self.up = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.out = nn.Conv2d(32, 1, 1)

    def forward(self, x):
        e1 = self.enc1(x)
        e2 = self.enc2(e1)
        skip = self.gate(e2, e1)
        return self.out(torch.cat([self.up(e2), skip], dim=1))
