import torch

batch = torch.zeros(100_000, 512, 512, 16)
