# train.py
import torch
import torch.nn.functional as F
from tqdm import tqdm


def boundary_weights(masks):
    """Three times the weight where a pixel's surroundings hold both classes."""
    spread = F.max_pool2d(masks, 3, 1, 1) + F.max_pool2d(-masks, 3, 1, 1)
    return 1.0 + 2.0 * spread


def criterion(logits, masks):
    return F.binary_cross_entropy_with_logits(logits, masks, weight=boundary_weights(masks))


def dice_per_batch(logits, masks):
    predicted = logits.sigmoid() > 0.5
    masks = masks > 0
    inter = torch.logical_and(predicted, masks).sum(dim=(1, 2, 3))
    total = predicted.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3))
    return torch.where(total == 0, torch.ones(()), 2 * inter / total.clamp_min(1)).mean().item()


def train(model, loader, optimizer, scheduler, device, epoch):
    model.train()
    mean = 0
    progress = tqdm(loader, desc=f"training {epoch}")
    for i, (x, y) in enumerate(progress):
        logits = model(x.to(device))
        loss = criterion(logits, y.to(device))
        loss.backward()
        optimizer.step()
        scheduler.step()
        for p in model.parameters():
            p.grad = None
        mean = (mean * i + loss.item()) / (i + 1)
        progress.set_postfix(loss=f"{mean:.3f}")
    return mean


def evaluate(model, loader, device, label):
    model.eval()
    losses, dices = [], []
    with torch.no_grad():
        for x, y in tqdm(loader, desc=label):
            logits = model(x.to(device)).cpu()
            losses.append(criterion(logits, y).item())
            dices.append(dice_per_batch(logits, y))
    return sum(losses) / len(losses), dices
