import torch


def iou_score(predictions, masks, eps=1e-7):
    intersection = (predictions & masks).sum(dim=(1, 2, 3))
    union = (predictions | masks).sum(dim=(1, 2, 3))
    return ((intersection + eps) / (union + eps)).mean()
