import torch
from torch import nn

criterion = nn.BCEWithLogitsLoss()
loss = criterion(torch.rand(4, 1, 16, 16), torch.rand(4, 16, 16))
