import torch
from torch import nn

class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(1, 1, 1)

    def forward(self, x):
        self.head(x)

prediction = UNet()(torch.rand(1, 1, 8, 8))
print(prediction.shape)
