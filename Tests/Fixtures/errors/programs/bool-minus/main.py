import torch

prediction = torch.rand(4, 4) > 0.5
target = torch.rand(4, 4) > 0.5
print((prediction - target).abs().sum())
