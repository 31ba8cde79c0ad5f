import torch
torch.nn.BatchNorm2d(4)(torch.zeros(1, 4, 1, 1))
