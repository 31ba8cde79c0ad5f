import numpy as np
import torch


def dice_coefficient(logits, masks, threshold=0.5):
    probs = torch.sigmoid(logits).cpu().numpy()
    pred = (probs > threshold).astype(np.uint8)
    true = masks.cpu().numpy().astype(np.uint8)
    inter = (pred & true).sum()
    return 2.0 * inter / max(1, pred.sum() + true.sum())


def evaluate(model, loader):
    model.eval()
    scores = []
    for images, masks in loader:
        scores.append(dice_coefficient(model(images), masks))
    return float(np.mean(scores))
