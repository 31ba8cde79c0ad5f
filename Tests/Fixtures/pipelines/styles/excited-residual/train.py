# train.py
import sys

import torch
from tqdm import tqdm


def tversky_loss(logits, target, alpha=0.3, beta=0.7, smooth=1.0):
    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    tp = (p * t).sum(1)
    fp = (p * (1 - t)).sum(1)
    fn = ((1 - p) * t).sum(1)
    return torch.mean(1 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth))


def loop(model, loader, device, description, optimizer=None):
    learn = optimizer is not None
    model.train() if learn else model.eval()
    count = loss_sum = 0
    dice = []
    for x, y in tqdm(loader, description, file=sys.stdout):
        x, y = x.to(device), y.to(device)
        with torch.set_grad_enabled(learn):
            z = model(x)
            loss = tversky_loss(z, y)
        if learn:
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        else:
            prediction = torch.sigmoid(z) > 0.5
            overlap = torch.logical_and(prediction, y > 0.5).sum().item()
            volume = prediction.sum().item() + y.sum().item()
            dice.append(1.0 if volume == 0 else 2.0 * overlap / volume)
        loss_sum += loss.item() * len(x)
        count += len(x)
    return (loss_sum / count) if learn else (loss_sum / count, dice)
