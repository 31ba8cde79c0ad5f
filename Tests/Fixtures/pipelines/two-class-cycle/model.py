import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, i, o, p=0.0):
        super().__init__()
        self.c1, self.n1 = nn.Conv2d(i, o, 3, padding=1), nn.InstanceNorm2d(o, affine=True)
        self.c2, self.n2 = nn.Conv2d(o, o, 3, padding=1), nn.InstanceNorm2d(o)
        self.drop = nn.Dropout2d(p)

    def forward(self, x):
        x = F.elu(self.n1(self.c1(x)))
        return self.drop(F.elu(self.n2(self.c2(x))))


class TwoClassUNet(nn.Module):
    def __init__(self, in_ch=1, num_classes=2):
        super().__init__()
        self.a, self.b, self.c = Block(in_ch, 8), Block(8, 16), Block(16, 32, 0.3)
        self.up1, self.up2 = nn.Conv2d(32, 16, 1), nn.Conv2d(16, 8, 1)
        self.d, self.e = Block(32, 16), Block(16, 8)
        self.out = nn.Conv2d(8, num_classes, 3, padding=1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        c = self.c(F.max_pool2d(b, 2))
        x = F.interpolate(self.up1(c), size=b.shape[-2:], mode="nearest")
        x = self.d(torch.cat([x, b], 1))
        x = F.interpolate(self.up2(x), scale_factor=2, mode="bilinear", align_corners=False)
        return self.out(self.e(torch.cat([x, a], 1)))
