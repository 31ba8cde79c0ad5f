import torch
torch.zeros(3, dtype=torch.uint8).mean()
