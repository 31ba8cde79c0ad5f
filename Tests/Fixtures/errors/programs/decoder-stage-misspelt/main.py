import torch
from model import UNet

print(UNet()(torch.rand(1, 1, 32, 32)).shape)
