import torch

weights = torch.rand(4, 4)
features = torch.rand(4, 4, dtype=torch.float16)
print(features @ weights)
