import torch
from train import train

x = torch.rand(4, 1, 16, 16)
batches = [(x, (x > 0.5).float())] * 3
train(torch.nn.Conv2d(1, 1, 3, padding=1), batches, epochs=2)
