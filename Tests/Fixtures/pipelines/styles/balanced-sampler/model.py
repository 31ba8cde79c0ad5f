# model.py
import torch
import torch.nn as nn


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.SiLU())
        self.second = nn.Sequential(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.SiLU())
        self.rise = nn.Upsample(scale_factor=2, mode="bilinear")
        self.third = nn.Sequential(nn.Conv2d(24, 8, 3, padding=1), nn.BatchNorm2d(8), nn.SiLU())
        self.final = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        x = self.first(x)
        return self.final(self.third(torch.cat([x, self.rise(self.second(x))], 1)))
