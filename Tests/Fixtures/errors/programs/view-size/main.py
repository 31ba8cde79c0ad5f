import torch
torch.zeros(4, 3).view(5, 2)
