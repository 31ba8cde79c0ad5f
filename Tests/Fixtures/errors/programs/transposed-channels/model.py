import torch
from torch import nn

class Up(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, channels // 2, 2, stride=2)

    def forward(self, x):
        return self.up(x)
