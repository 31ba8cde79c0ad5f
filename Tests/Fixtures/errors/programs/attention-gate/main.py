import torch
from model import AttentionUNet

model = AttentionUNet()
print(model(torch.rand(1, 3, 64, 64)).shape)
