import torch
from model import UNet

UNet()(torch.rand(1))
