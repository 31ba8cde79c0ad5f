import torch
import torch.nn as nn

class DiceBCELoss(nn.Module):
    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth
        self.bce = nn.BCEWithLogitsLoss()

    def forward(self, logits, targets):
        prob = torch.sigmoid(logits)
        inter = (prob * targets).sum()
        dice = 1 - (2 * inter + self.smooth) / (prob.sum() + targets.sum() + self.smooth)
        return dice + self.bce(logits, targets)
