import torch
from torch.nn.functional import binary_cross_entropy_with_logits, dice_loss

def loss_fn(logits, target):
    return binary_cross_entropy_with_logits(logits, target) + dice_loss(torch.sigmoid(logits), target)
