import torch.nn as nn

class UNet(nn.Module):
    def __init__(self, in_ch=1, classes=2):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(in_ch, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, classes, 1))

    def forward(self, x):
        return self.body(x)
