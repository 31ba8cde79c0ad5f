# train.py
import torch
from tqdm import tqdm


def weighted_bce(p, y, w=4.0):
    """Written out; the foreground counts w times."""
    eps = 1e-7
    return -(w * y * torch.log(p + eps) + (1 - y) * torch.log(1 - p + eps)).mean()


def passes(model, device):
    """Two functions that share a model and a device."""

    def learn(loader, optimizer, name):
        model.train()
        out = []
        for x, y in tqdm(loader, desc=name):
            loss = weighted_bce(model(x.to(device)), y.to(device))
            model.zero_grad()
            loss.backward()
            optimizer.step()
            out.append(loss.item())
        return sum(out) / len(out)

    def judge(loader, name):
        model.eval()
        losses, dices = [], []
        for x, y in tqdm(loader, desc=name):
            with torch.no_grad():
                p = model(x.to(device)).cpu()
            losses.append(weighted_bce(p, y).item())
            q = (p > 0.35).float()
            a, b = (q * y).sum(), q.sum() + y.sum()
            dices.append((2 * a / b).item() if b > 0 else 1.0)
        return sum(losses) / len(losses), dices

    return learn, judge
