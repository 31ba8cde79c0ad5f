# train.py
import torch
from tqdm import tqdm


def dice(z, y):
    p = (z > 0).float()
    return ((2 * (p * y).sum() + 1e-6) / (p.sum() + y.sum() + 1e-6)).item()


def one_pass(model, loader, loss_fn, device, name, optimizer=None):
    if optimizer is None:
        model.eval()
    else:
        model.train()
    losses, scores = [], []
    for x, y in tqdm(loader, desc=name):
        x, y = x.to(device), y.to(device)
        if optimizer is None:
            with torch.no_grad():
                z = model(x)
                loss = loss_fn(z, y)
            scores.append(dice(z, y))
        else:
            z = model(x)
            loss = loss_fn(z, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses), scores
