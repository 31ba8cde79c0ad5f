# train.py
import copy

import torch
import torch.nn.functional as F
from tqdm import tqdm


class MovingAverage:
    """A shadow of the model whose weights follow slowly; it is what is evaluated."""

    def __init__(self, model, decay=0.9):
        self.shadow, self.decay = copy.deepcopy(model), decay
        for p in self.shadow.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for s, p in zip(self.shadow.parameters(), model.parameters()):
            s.mul_(self.decay).add_(p, alpha=1 - self.decay)


def train(model, average, loader, optimizer, device, epoch):
    model.train()
    total = 0.0
    for x, y in tqdm(loader, desc=f"training {epoch}"):
        loss = F.binary_cross_entropy_with_logits(model(x.to(device)), y.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(model)
        total += loss.item()
    return total / len(loader)


def test(model, loader, device, name):
    model.eval()
    total, dice = 0.0, []
    with torch.no_grad():
        for x, y in tqdm(loader, desc=name):
            z = model(x.to(device)).cpu()
            total += F.binary_cross_entropy_with_logits(z, y).item()
            p = (torch.sigmoid(z) > 0.5).float()
            dice.append(((2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)).item())
    return total / len(loader), dice
