import torch
import torch.nn.functional as F

x = torch.rand(2, 8, 16, 16)
print(F.interpolate(x, size=(32, 32, 32), mode="bilinear").shape)
