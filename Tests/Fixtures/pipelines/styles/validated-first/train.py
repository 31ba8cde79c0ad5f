# train.py
import torch
from torch import nn
from tqdm import tqdm


class Metrics:
    """Sums up over a pass, a value a batch."""

    def __init__(self):
        self.losses, self.dices = [], []

    def update(self, loss, probabilities=None, masks=None):
        self.losses.append(loss.item())
        if probabilities is not None:
            predicted = (probabilities >= 0.5).float()
            tp = (predicted * masks).sum()
            self.dices.append(((2 * tp + 1) / (predicted.sum() + masks.sum() + 1)).item())

    @property
    def loss(self):
        return sum(self.losses) / len(self.losses)


class JaccardLoss(nn.Module):
    def forward(self, probabilities, masks):
        intersection = (probabilities * masks).sum(dim=(1, 2, 3))
        union = probabilities.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3)) - intersection
        return (1 - (intersection + 1) / (union + 1)).mean()


class Objective(nn.Module):
    """The sigmoid belongs to the objective, which also predicts."""

    def __init__(self, mix=0.3):
        super().__init__()
        self.mix, self.jaccard, self.bce = mix, JaccardLoss(), nn.BCELoss()

    def forward(self, logits, masks):
        p = logits.sigmoid()
        return self.mix * self.bce(p, masks) + (1 - self.mix) * self.jaccard(p, masks), p


def validate(model, loader, objective, device, title):
    metrics = Metrics()
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for images, masks in tqdm(loader, desc=title):
            loss, p = objective(model(images.to(device)), masks.to(device))
            metrics.update(loss, p, masks.to(device))
    model.train(was_training)
    return metrics


def train_epoch(model, loader, objective, optimizer, device, title):
    metrics = Metrics()
    model.train()
    for images, masks in tqdm(loader, desc=title):
        optimizer.zero_grad()
        loss, _ = objective(model(images.to(device)), masks.to(device))
        loss.backward()
        optimizer.step()
        metrics.update(loss)
    return metrics
