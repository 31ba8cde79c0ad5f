import torch
import torch.nn.functional as F

mask = torch.zeros(2, 16, 16)
print(F.one_hot(mask, 2).shape)
