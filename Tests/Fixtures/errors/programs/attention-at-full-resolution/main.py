import torch
from model import SelfAttention2d

with torch.no_grad():
    block = SelfAttention2d(4)
    print(block(torch.rand(1, 4, 1024, 1024)).shape)
