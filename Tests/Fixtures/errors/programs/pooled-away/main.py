import torch
from torch import nn

encoder = nn.Sequential(*[nn.MaxPool2d(2) for _ in range(6)])
print(encoder(torch.rand(1, 8, 32, 32)).shape)
