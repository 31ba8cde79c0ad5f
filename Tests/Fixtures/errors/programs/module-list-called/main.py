import torch
from torch import nn

encoders = nn.ModuleList([nn.Conv2d(1, 4, 3)])
print(encoders(torch.rand(1, 1, 8, 8)))
