import torch

def join(a, b):
    return torch.cat([a, b], dim=1)

join(torch.zeros(1, 4, 32, 32), torch.zeros(1, 4, 31, 31))
