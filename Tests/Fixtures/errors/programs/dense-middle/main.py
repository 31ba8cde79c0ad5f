import torch
from model import UNetWithDenseBottleneck

torch.set_num_threads(1)
print("building the model")
model = UNetWithDenseBottleneck()
print(sum(p.numel() for p in model.parameters()), "parameters")
