import torch
from model import AttentionUNet

net = AttentionUNet()
print(net(torch.rand(2, 1, 32, 32)).shape)
