# train.py
import torch
from tqdm import tqdm


def lovasz_like(logits, y):
    """A smooth hinge on the margin, balanced over both classes."""
    margin = logits * (2 * y - 1)
    cost = torch.log1p(torch.exp(-margin.abs())) + torch.clamp(-margin, min=0)
    inside = (cost * y).sum() / (y.sum() + 1)
    outside = (cost * (1 - y)).sum() / ((1 - y).sum() + 1)
    return inside + outside


def steps(model, loader, device, title, update=None):
    for x, y in tqdm(loader, desc=title):
        y = y.to(device)
        z = model(x.to(device))
        loss = lovasz_like(z, y)
        if update is not None:
            update(loss)
        yield loss.item(), z.detach(), y


def train(model, loader, optimizer, device, epoch):
    def update(loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    model.train()
    found = [loss for loss, _, _ in steps(model, loader, device, f"training {epoch}", update)]
    return sum(found) / len(found)


@torch.no_grad()
def test(model, loader, device, title):
    model.eval()
    losses, dices = [], []
    for loss, z, y in steps(model, loader, device, title):
        h = (torch.sigmoid(z) > 0.5).float()
        per = (2 * (h * y).sum((1, 2, 3)) + 1e-4) / ((h + y).sum((1, 2, 3)) + 1e-4)
        losses.append(loss)
        dices.append(per.mean().item())
    return sum(losses) / len(losses), dices
