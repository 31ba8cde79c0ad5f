import torch.nn as nn

class UNet(nn.Module):
    def __init__(self, in_ch=1, base=8, num_classes=1):
        super().__init__()
        self.down = nn.Conv2d(in_ch, base, 3, padding=1)
        self.head = nn.Conv2d(base, num_classes, 1)

    def forward(self, x):
        return self.head(self.down(x).relu())
