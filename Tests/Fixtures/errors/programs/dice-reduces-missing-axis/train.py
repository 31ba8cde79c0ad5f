import torch

def dice_score(pred, target, eps=1e-6):
    inter = (pred * target).sum(dim=(1, 2, 3))
    union = pred.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
    return ((2 * inter + eps) / (union + eps)).mean()

def evaluate(model, images, masks):
    with torch.no_grad():
        pred = (torch.sigmoid(model(images)) > 0.5).float().squeeze(1)
    return dice_score(pred, masks.squeeze(1))
