import torch

weights = torch.zeros(3, requires_grad=True)
weights += 1
