import torch
from torch import nn


class AttentionGate(nn.Module):
    def __init__(self, g, s, mid):
        super().__init__()
        self.wg, self.ws = nn.Conv2d(g, mid, 1), nn.Conv2d(s, mid, 1)
        self.psi = nn.Sequential(nn.Conv2d(mid, 1, 1), nn.Sigmoid())

    def forward(self, g, s):
        return s * self.psi(torch.relu(self.wg(g) + self.ws(s)))


class AttentionUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(1, 8, 3, padding=1)
        self.middle = nn.Conv2d(8, 16, 3, padding=1)
        self.upsample = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.att_gate = AttentionGate(8, 8, 4)
        self.last = nn.Conv2d(16, 1, 1)

    def forward(self, x):
        s = torch.relu(self.down(x))
        m = torch.relu(self.middle(nn.functional.max_pool2d(s, 2)))
        u = self.upsample(m)
        return self.last(torch.cat([u, self.attention_gate(u, s)], 1))
