import torch
import torch.nn as nn
from train import evaluate

images = torch.rand(4, 1, 24, 24)
masks = (images > 0.5).float()
print("Dice", evaluate(nn.Conv2d(1, 1, 1), images, masks).item())
