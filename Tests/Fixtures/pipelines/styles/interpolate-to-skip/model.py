# model.py
import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvBlock(nn.Module):
    def __init__(self, cin, cout):
        super(ConvBlock, self).__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, 1, 1)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(cout)

    def forward(self, x):
        x = F.leaky_relu(self.bn1(self.conv1(x)), 0.1)
        x = F.leaky_relu(self.bn2(self.conv2(x)), 0.1)
        return x


class UNet(nn.Module):
    """Works for any input size: what goes up is resized to the skip it meets."""

    def __init__(self):
        super(UNet, self).__init__()
        self.down1 = ConvBlock(1, 8)
        self.down2 = ConvBlock(8, 16)
        self.down3 = ConvBlock(16, 32)
        self.bridge = ConvBlock(32, 48)
        self.up3 = ConvBlock(48 + 32, 32)
        self.up2 = ConvBlock(32 + 16, 16)
        self.up1 = ConvBlock(16 + 8, 8)
        self.out = nn.Conv2d(8, 1, 1)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, nonlinearity="leaky_relu")
                nn.init.zeros_(m.bias)

    def forward(self, x):
        s1 = self.down1(x)
        s2 = self.down2(F.max_pool2d(s1, 2))
        s3 = self.down3(F.max_pool2d(s2, 2))
        y = self.bridge(F.max_pool2d(s3, 2))
        for skip, block in ((s3, self.up3), (s2, self.up2), (s1, self.up1)):
            y = F.interpolate(y, size=skip.shape[2:], mode="bilinear", align_corners=False)
            y = block(torch.cat([y, skip], dim=1))
        return self.out(y)
