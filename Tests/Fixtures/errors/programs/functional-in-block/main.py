import torch
from model import UNet

model = UNet(3, 1)
images = torch.rand(2, 3, 32, 32)
print("input", tuple(images.shape))
print("output", tuple(model(images).shape))
