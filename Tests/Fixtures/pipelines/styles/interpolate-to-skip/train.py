# train.py
import torch
import torch.nn as nn
import torch.nn.functional as F
from tqdm.auto import tqdm


class BCEDiceLoss(nn.Module):
    def __init__(self, bce_weight=0.5, smooth=1.0):
        super().__init__()
        self.bce_weight = bce_weight
        self.smooth = smooth

    def forward(self, logits, targets):
        bce = F.binary_cross_entropy_with_logits(logits, targets)
        probs = torch.sigmoid(logits).view(logits.size(0), -1)
        flat = targets.view(targets.size(0), -1)
        inter = (probs * flat).sum(1)
        dice = (2.0 * inter + self.smooth) / (probs.sum(1) + flat.sum(1) + self.smooth)
        return self.bce_weight * bce + (1 - self.bce_weight) * (1 - dice.mean())


def batch_dice(logits, targets, threshold):
    preds = (torch.sigmoid(logits) > threshold).float()
    inter = (preds * targets).sum(dim=[1, 2, 3])
    total = preds.sum(dim=[1, 2, 3]) + targets.sum(dim=[1, 2, 3])
    score = torch.where(total > 0, 2 * inter / total.clamp(min=1), torch.ones_like(total))
    return score.mean().item()


def run_epoch(model, loader, loss_fn, device, optimizer=None, threshold=0.5, title=""):
    training = optimizer is not None
    model.train(training)
    losses, dices = [], []
    with torch.set_grad_enabled(training):
        for batch in tqdm(loader, desc=title):
            images = batch["image"].to(device)
            masks = batch["mask"].to(device)
            logits = model(images)
            loss = loss_fn(logits, masks)
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            else:
                dices.append(batch_dice(logits, masks, threshold))
            losses.append(loss.item())
    return sum(losses) / len(losses), dices
