import torch

threshold = torch.tensor(1, requires_grad=True)
