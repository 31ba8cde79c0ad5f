# train.py
from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm


@dataclass
class History:
    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    dice: list[list[float]] = field(default_factory=list)


def mean_dice(probability: Tensor, mask: Tensor, cut: float) -> float:
    hard = torch.where(probability > cut, 1.0, 0.0)
    scores = []
    for p, m in zip(hard, mask):
        total = (p.sum() + m.sum()).item()
        scores.append(1.0 if total == 0 else 2 * (p * m).sum().item() / total)
    return sum(scores) / len(scores)


def fit_epoch(model: nn.Module, loader: DataLoader, optimizer, weight: Tensor, device, epoch: int) -> float:
    model.train()
    losses = []
    criterion = nn.BCEWithLogitsLoss(pos_weight=weight)
    for image, mask in tqdm(loader, desc=f"training, epoch {epoch}"):
        loss = criterion(model(image.to(device)), mask.to(device))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), clip_value=0.25)
        optimizer.step()
        losses.append(float(loss))
    return sum(losses) / len(losses)


def test(model: nn.Module, loader: DataLoader, weight: Tensor, device, cut: float, phase: str):
    model.eval()
    criterion = nn.BCEWithLogitsLoss(pos_weight=weight)
    losses, dice = [], []
    with torch.no_grad():
        for image, mask in tqdm(loader, desc=phase):
            logits = model(image.to(device))
            losses.append(float(criterion(logits, mask.to(device))))
            dice.append(mean_dice(logits.sigmoid().cpu(), mask, cut))
    return sum(losses) / len(losses), dice
