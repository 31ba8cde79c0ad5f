import torch.nn as nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(in_channels=16, 1, kernel_size=1)

    def forward(self, x):
        return self.conv(x)
