import torch

def dice(prediction, target):
    intersection = (prediction * target).sum()
    return 2 * intersection / (prediction.sum() + target.sum())

print(dice(torch.rand(4, 1, 8, 8), torch.rand(4, 1, 8, 9)))
