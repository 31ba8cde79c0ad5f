import torch
from torch import nn

logits = torch.randn(2, 2, 16, 16)
masks = torch.zeros(2, 1, 16, 16, dtype=torch.long)
print(nn.CrossEntropyLoss()(logits, masks))
