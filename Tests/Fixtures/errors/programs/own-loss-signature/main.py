import torch
from model import DiceBCELoss
from train import validate

x = torch.rand(2, 1, 16, 16)
print(validate(torch.nn.Conv2d(1, 1, 1), DiceBCELoss(), x, (x > 0.5).float()))
