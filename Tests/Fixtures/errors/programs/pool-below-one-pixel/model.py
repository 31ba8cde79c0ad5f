import torch.nn as nn
import torch.nn.functional as F

class Encoder(nn.Module):
    def __init__(self, channels=(1, 4, 8, 16, 32, 64)):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1) for a, b in zip(channels[:-1], channels[1:]))
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        skips = []
        for block in self.blocks:
            x = F.relu(block(x))
            skips.append(x)
            x = self.pool(x)
        return x, skips
