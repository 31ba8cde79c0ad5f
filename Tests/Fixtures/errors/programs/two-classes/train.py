import torch
import torch.nn as nn


class CEDiceLoss(nn.Module):
    def __init__(self, weight=0.5):
        super().__init__()
        self.ce = nn.CrossEntropyLoss()
        self.weight = weight

    def forward(self, logits, target):
        ce = self.ce(logits, target.squeeze(1))
        prob = torch.softmax(logits, dim=1)[:, 1]
        fg = target.squeeze(1).float()
        dice = (2 * (prob * fg).sum() + 1) / (prob.sum() + fg.sum() + 1)
        return self.weight * ce + (1 - self.weight) * (1 - dice)
