# model.py
import torch
from torch import nn


class UNet(nn.Module):
    def __init__(self, width=8, dropout=0.2):
        super().__init__()
        w = width
        self.blocks = nn.ModuleDict({
            "enc1": self.block(1, w), "enc2": self.block(w, 2 * w), "mid": self.block(2 * w, 4 * w),
            "dec2": self.block(4 * w, 2 * w), "dec1": self.block(2 * w, w)})
        self.ups = nn.ModuleDict({"up2": nn.ConvTranspose2d(4 * w, 2 * w, 2, stride=2),
                                  "up1": nn.ConvTranspose2d(2 * w, w, 2, stride=2)})
        self.pool, self.dropout, self.out = nn.MaxPool2d(2), nn.Dropout(dropout), nn.Conv2d(w, 1, 1)

    @staticmethod
    def block(i, o):
        return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.SELU(), nn.Conv2d(o, o, 3, padding=1), nn.SELU())

    def forward(self, x):
        b, u = self.blocks, self.ups
        a = b["enc1"](x)
        c = b["enc2"](self.pool(a))
        m = self.dropout(b["mid"](self.pool(c)))
        d = b["dec2"](torch.cat((u["up2"](m), c), 1))
        return self.out(b["dec1"](torch.cat((u["up1"](d), a), 1)))
