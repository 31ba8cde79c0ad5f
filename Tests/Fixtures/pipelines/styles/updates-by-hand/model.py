# model.py
import torch
from torch import nn


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.LeakyReLU())
        self.under = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(6, 12, 3, padding=1), nn.LeakyReLU(),
                                   nn.ConvTranspose2d(12, 6, 2, 2))
        self.over = nn.Conv2d(12, 1, 3, padding=1)

    def forward(self, x):
        y = self.down(x)
        return self.over(torch.cat([y, self.under(y)], 1))
