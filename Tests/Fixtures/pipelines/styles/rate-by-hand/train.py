# train.py
import math

import torch
from tqdm import tqdm

bce = torch.nn.BCELoss()


def rate(step, steps, top=5e-3, warm=3):
    """Warm-up and half a cosine, set by hand before each step."""
    if step < warm:
        return top * (step + 1) / warm
    return 0.5 * top * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def train(model, loader, optimizer, epoch, epochs, device):
    model.train()
    losses = []
    for k, (x, y) in enumerate(tqdm(loader, desc=f"training {epoch}")):
        for group in optimizer.param_groups:
            group["lr"] = rate(epoch * len(loader) + k, epochs * len(loader))
        optimizer.zero_grad()
        loss = bce(model(x.to(device)), y.to(device))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def test(model, loader, device, phase):
    model.eval()
    losses, dices = [], []
    for x, y in tqdm(loader, desc=phase):
        with torch.no_grad():
            p = model(x.to(device)).cpu()
        losses.append(bce(p, y).item())
        p = (p > 0.5).float()
        dices.append(((2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)).item())
    return sum(losses) / len(losses), dices
