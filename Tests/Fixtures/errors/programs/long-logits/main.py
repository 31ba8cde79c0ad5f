import torch
from torch import nn

masks = torch.zeros(2, 1, 8, 8, dtype=torch.long)
logits = torch.randn(2, 1, 8, 8)
loss = nn.BCEWithLogitsLoss()(masks, logits)
