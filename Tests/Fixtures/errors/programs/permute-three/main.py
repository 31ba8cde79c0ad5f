import torch

batch = torch.rand(4, 32, 32)
batch = batch.permute(0, 3, 1, 2)
