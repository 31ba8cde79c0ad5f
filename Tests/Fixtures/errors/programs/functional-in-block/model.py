import torch
import torch.nn as nn


class Up(nn.Module):
    def __init__(self, channels, skip):
        super().__init__()
        self.conv = nn.Conv2d(channels + skip, skip, 3, padding=1)

    def forward(self, x, skip):
        x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
        return torch.relu(self.conv(torch.cat([x, skip], dim=1)))


class UNet(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.inc = nn.Conv2d(channels, 8, 3, padding=1)
        self.down = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1))
        self.up = Up(16, 8)
        self.out = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down(x1)
        return self.out(self.up(x2, x1))
