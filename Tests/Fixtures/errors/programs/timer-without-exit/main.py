import torch
from utils import Timer

with Timer("inference") as timer:
    output = torch.nn.Conv2d(3, 1, 3)(torch.rand(1, 3, 16, 16))
print(output.shape)
