# train.py
import contextlib

import torch
import torch.nn.functional as F
from tqdm import tqdm


def losses(logits, y):
    """Binary cross entropy and the Dice loss, each a value, so that both can be logged."""
    bce = F.binary_cross_entropy_with_logits(logits, y, reduction="none").flatten(1).mean(1)
    p = logits.sigmoid().flatten(1)
    t = y.flatten(1)
    dice = 1 - (2 * (p * t).sum(-1) + 1) / (p.sum(-1) + t.sum(-1) + 1)
    return bce.mean(), dice.mean()


class Phase:
    def __init__(self, name, model, device, optimizer=None, scheduler=None, limit=None):
        self.name, self.model, self.device = name, model, device
        self.optimizer, self.scheduler, self.limit = optimizer, scheduler, limit

    @property
    def learning(self):
        return self.optimizer is not None

    def run(self, loader, epoch):
        self.model.train() if self.learning else self.model.eval()
        parts, dices = [], []
        with contextlib.nullcontext() if self.learning else torch.no_grad():
            for (x, y), _ in tqdm(loader, desc=f"{self.name} {epoch}"):
                x, y = x.to(self.device), y.to(self.device)
                z = self.model(x)
                bce, dice = losses(z, y)
                if self.learning:
                    self.optimizer.zero_grad()
                    (bce + dice).backward()
                    if self.limit:
                        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.limit)
                    self.optimizer.step()
                else:
                    h = (z.sigmoid() > 0.5).float()
                    dices.append(((2 * (h * y).sum() + 1e-5) / (h.sum() + y.sum() + 1e-5)).item())
                parts.append((bce.item(), dice.item()))
        if self.learning and self.scheduler:
            self.scheduler.step()
        return sum(map(sum, parts)) / len(parts), dices
