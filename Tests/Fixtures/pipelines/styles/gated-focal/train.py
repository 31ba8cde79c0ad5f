# train.py
import torch
from tqdm import tqdm


def focal_loss(p, y, alpha=0.75, gamma=2.0, eps=1e-6):
    p = p.clamp(eps, 1.0 - eps)
    positive = -alpha * (1 - p).pow(gamma) * y * torch.log(p)
    negative = -(1 - alpha) * p.pow(gamma) * (1 - y) * torch.log(1 - p)
    return (positive + negative).mean()


def dice_loss(p, y):
    dims = (1, 2, 3)
    return (1 - (2 * (p * y).sum(dims) + 1) / (p.sum(dims) + y.sum(dims) + 1)).mean()


def combined(p, y):
    return 0.4 * focal_loss(p, y) + 0.6 * dice_loss(p, y)


class EarlyStopping:
    def __init__(self, patience):
        self.patience, self.best, self.count, self.stop = patience, None, 0, False

    def __call__(self, loss):
        if self.best is None or loss < self.best:
            self.best, self.count = loss, 0
            return True
        self.count += 1
        self.stop = self.count >= self.patience
        return False


def step_through(phase, model, loader, device, optimizer=None):
    """One pass of any phase; batches are dictionaries."""
    train = phase.startswith("training")
    model.train() if train else model.eval()
    total, dices = 0.0, []
    for batch in tqdm(loader, desc=phase):
        x, y = batch["x"].to(device), batch["y"].to(device)
        if train:
            optimizer.zero_grad()
            loss = combined(model(x), y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=2.0)
            optimizer.step()
        else:
            with torch.no_grad():
                p = model(x)
                loss = combined(p, y)
                hard = p.round()
                dices.append(float((2 * (hard * y).sum() + 1e-6) / (hard.sum() + y.sum() + 1e-6)))
        total += loss.item()
    return total / len(loader), dices
