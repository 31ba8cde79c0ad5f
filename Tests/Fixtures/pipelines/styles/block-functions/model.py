# model.py
import torch
import torch.nn as nn


def double_conv(in_ch, out_ch):
    return nn.Sequential(
        nn.Conv2d(in_ch, out_ch, kernel_size=3, padding=1),
        nn.BatchNorm2d(out_ch),
        nn.ReLU(inplace=True),
        nn.Conv2d(out_ch, out_ch, kernel_size=3, padding=1),
        nn.BatchNorm2d(out_ch),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = double_conv(1, 6)
        self.enc2 = double_conv(6, 12)
        self.enc3 = double_conv(12, 24)
        self.pool = nn.MaxPool2d(2)
        self.middle = double_conv(24, 48)
        self.up3 = nn.ConvTranspose2d(48, 24, kernel_size=2, stride=2)
        self.dec3 = double_conv(48, 24)
        self.up2 = nn.ConvTranspose2d(24, 12, kernel_size=2, stride=2)
        self.dec2 = double_conv(24, 12)
        self.up1 = nn.ConvTranspose2d(12, 6, kernel_size=2, stride=2)
        self.dec1 = double_conv(12, 6)
        self.head = nn.Conv2d(6, 1, kernel_size=1)

    def forward(self, x):
        e1 = self.enc1(x)
        e2 = self.enc2(self.pool(e1))
        e3 = self.enc3(self.pool(e2))
        m = self.middle(self.pool(e3))
        d3 = self.dec3(torch.cat((self.up3(m), e3), dim=1))
        d2 = self.dec2(torch.cat((self.up2(d3), e2), dim=1))
        d1 = self.dec1(torch.cat((self.up1(d2), e1), dim=1))
        return torch.sigmoid(self.head(d1))
