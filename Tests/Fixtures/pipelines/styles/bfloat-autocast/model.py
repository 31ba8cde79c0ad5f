# model.py
import torch
from torch import nn


class UNet(nn.Module):
    def __init__(self, n=6):
        super().__init__()
        self.one = nn.Sequential(nn.Conv2d(1, n, 3, padding=1), nn.ReLU())
        self.two = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(n, 2 * n, 3, padding=1), nn.ReLU())
        self.back = nn.ConvTranspose2d(2 * n, n, 2, 2)
        self.three = nn.Sequential(nn.Conv2d(2 * n, n, 3, padding=1), nn.ReLU(), nn.Conv2d(n, 1, 1))

    def forward(self, x):
        a = self.one(x)
        return self.three(torch.cat([a, self.back(self.two(a))], 1))
