import torch.nn as nn


def run_epoch(loader):
    model = nn.Conv2d(3, 1, 1)
    total = 0.0
    for images, masks in loader:
        total += nn.functional.binary_cross_entropy_with_logits(model(images), masks).item()
    return total / len(loader)
