import torch
import torch.nn as nn


class DoubleConv(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(cin, cout, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(cout, cout, 3, padding=1), nn.ReLU(inplace=True))

    def forward(self, x):
        return self.net(x)


class UNet(nn.Module):
    def __init__(self, features=(16, 32)):
        super().__init__()
        self.down1 = DoubleConv(1, features[0])
        self.down2 = DoubleConv(features[0], features[1])
        self.pool = nn.MaxPool2d(2, 2)
        self.up = nn.ConvTranspose2d(features[1] * 2, features[0], 2, 2)
        self.dec = DoubleConv(features[1], features[0])
        self.head = nn.Conv2d(features[0], 1, 1)

    def forward(self, x):
        s = self.down1(x)
        x = self.down2(self.pool(s))
        x = self.up(x)
        x = self.dec(torch.cat((s, x), dim=1))
        return self.head(x)
