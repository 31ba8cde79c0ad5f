import numpy as np


def dice_score(pred, target, eps=1e-6):
    pred, target = pred.astype(np.float32), target.astype(np.float32)
    return (2 * (pred * target).sum() + eps) / (pred.sum() + target.sum() + eps)
