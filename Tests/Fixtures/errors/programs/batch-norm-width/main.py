import torch
from torch import nn

block = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
print(block(torch.rand(2, 1, 16, 16)).shape)
