import torch
from torch import nn

logits, masks = torch.randn(2, 2, 16, 16), torch.zeros(2, 16, 16)
print(nn.CrossEntropyLoss()(logits, masks))
