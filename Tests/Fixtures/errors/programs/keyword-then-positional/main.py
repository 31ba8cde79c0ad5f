import torch
from model import Head

print(Head()(torch.rand(1, 16, 8, 8)).shape)
