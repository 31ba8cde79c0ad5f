# model.py
import torch
import torch.nn as nn


class SelfAttention(nn.Module):
    """Heads written out, over the pixels of the lowest level."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.scale = heads, (dim // heads) ** -0.5
        self.norm = nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-2, -1) * self.scale, dim=-1)
        return x + self.out((weights @ v).transpose(1, 2).reshape(b, n, d))


class UNet(nn.Module):
    def __init__(self, dim=32, side=8):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.GELU())
        self.b = nn.Sequential(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.GELU())
        self.c = nn.Sequential(nn.Conv2d(16, dim, 3, stride=2, padding=1), nn.BatchNorm2d(dim), nn.GELU())
        self.position = nn.Parameter(torch.zeros(1, side * side, dim))
        self.layers = nn.ModuleList([nn.ModuleList([
            SelfAttention(dim, 4), nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 48), nn.GELU(), nn.Linear(48, dim))])
            for _ in range(2)])
        self.up2, self.up1 = nn.ConvTranspose2d(dim, 16, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)
        self.d = nn.Sequential(nn.Conv2d(32, 16, 3, padding=1), nn.BatchNorm2d(16), nn.GELU())
        self.e = nn.Sequential(nn.Conv2d(16, 8, 3, padding=1), nn.BatchNorm2d(8), nn.GELU())
        self.f = nn.Conv2d(8, 1, 1)
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, x):
        a = self.a(x)
        b = self.b(a)
        c = self.c(b)
        n, d, h, w = c.shape
        tokens = c.flatten(2).transpose(1, 2) + self.position
        for attention, mlp in self.layers:
            tokens = attention(tokens)
            tokens = tokens + mlp(tokens)
        c = tokens.transpose(1, 2).reshape(n, d, h, w)
        y = self.d(torch.cat([self.up2(c), b], 1))
        return self.f(self.e(torch.cat([self.up1(y), a], 1)))
