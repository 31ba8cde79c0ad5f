import torch
from model import Up

print(Up(16)(torch.rand(1, 32, 8, 8)).shape)
