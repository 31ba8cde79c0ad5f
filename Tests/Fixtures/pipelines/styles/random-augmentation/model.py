# model.py
import torch
import torch.nn as nn


class UNet(nn.Module):
    def __init__(self, w=6):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU())
        self.left, self.floor, self.right = block(1, w), block(w, 2 * w), block(2 * w, w)
        self.pool, self.up = nn.MaxPool2d(2), nn.ConvTranspose2d(2 * w, w, 2, 2)
        self.out = nn.Conv2d(w, 1, 1)

    def forward(self, x):
        left = self.left(x)
        return self.out(self.right(torch.cat([left, self.up(self.floor(self.pool(left)))], 1)))
