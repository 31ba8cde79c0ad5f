# model.py
import torch
from torch import nn


class EncoderBlock(nn.Module):
    def __init__(self, ic, oc):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(ic, oc, 3, padding=1), nn.BatchNorm2d(oc), nn.ReLU(True), nn.Conv2d(oc, oc, 3, padding=1),
            nn.BatchNorm2d(oc), nn.ReLU(True))
        self.pool = nn.MaxPool2d((2, 2))

    def forward(self, x):
        features = self.conv(x)
        return features, self.pool(features)


class DecoderBlock(nn.Module):
    def __init__(self, ic, sc, oc):
        super().__init__()
        self.up = nn.ConvTranspose2d(ic, oc, kernel_size=2, stride=2)
        self.conv = nn.Sequential(
            nn.Conv2d(oc + sc, oc, 3, padding=1), nn.BatchNorm2d(oc), nn.ReLU(True), nn.Conv2d(oc, oc, 3, padding=1),
            nn.BatchNorm2d(oc), nn.ReLU(True))

    def forward(self, x, skip):
        return self.conv(torch.cat([self.up(x), skip], axis=1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = EncoderBlock(3, 8), EncoderBlock(8, 12)
        self.b = nn.Sequential(nn.Conv2d(12, 20, 3, padding=1), nn.BatchNorm2d(20), nn.ReLU(True), nn.Dropout(0.3))
        self.d1, self.d2 = DecoderBlock(20, 12, 12), DecoderBlock(12, 8, 8)
        self.outputs = nn.Conv2d(8, 1, kernel_size=1, padding=0)

    def forward(self, inputs):
        s1, p1 = self.e1(inputs)
        s2, p2 = self.e2(p1)
        return self.outputs(self.d2(self.d1(self.b(p2), s2), s1))
