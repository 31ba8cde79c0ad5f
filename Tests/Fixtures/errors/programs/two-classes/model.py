import torch.nn as nn


class UNet(nn.Module):
    def __init__(self, n_classes=2):
        super().__init__()
        self.enc = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.outc = nn.Conv2d(8, n_classes, kernel_size=1)

    def forward(self, x):
        return self.outc(self.enc(x))
