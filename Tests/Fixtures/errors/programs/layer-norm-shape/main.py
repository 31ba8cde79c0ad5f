import torch
from torch import nn

norm = nn.LayerNorm(64)
print(norm(torch.rand(2, 16, 32)).shape)
