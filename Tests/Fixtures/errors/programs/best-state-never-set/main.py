import torch
from train import train

x = torch.rand(2, 1, 16, 16)
print(train(torch.nn.Conv2d(1, 1, 1), x, (x > 0.5).float(), epochs=3))
