# train.py
from typing import List, Tuple

import torch
from torch import nn
from tqdm import tqdm


class Trainer:
    """Holds what a training needs and runs its phases."""

    def __init__(self, model, optimizer, scheduler, device):
        self.model, self.optimizer, self.scheduler, self.device = model, optimizer, scheduler, device
        self.criterion = nn.BCEWithLogitsLoss()
        self.history = {"train": [], "val": [], "dice": []}

    @staticmethod
    def dice(logits: torch.Tensor, target: torch.Tensor) -> float:
        hard = torch.sigmoid(logits).ge(0.5).float()
        union = hard.sum() + target.sum()
        if union == 0:
            return 1.0
        return float(2.0 * (hard * target).sum() / union)

    def _train(self, loader, epoch: int) -> float:
        self.model.train()
        total = 0.0
        for x, y in tqdm(loader, desc=f"Epoch {epoch} training", leave=False):
            x, y = x.to(self.device), y.to(self.device)
            loss = self.criterion(self.model(x), y)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return total / len(loader)

    def evaluate(self, loader, name: str) -> Tuple[float, List[float]]:
        self.model.eval()
        total, dices = 0.0, []
        with torch.no_grad():
            for x, y in tqdm(loader, desc=name, leave=False):
                x, y = x.to(self.device), y.to(self.device)
                logits = self.model(x)
                total += self.criterion(logits, y).item()
                dices.append(self.dice(logits, y))
        return total / max(len(loader), 1), dices

    def fit(self, train_loader, val_loader, epochs: int):
        for epoch in range(1, epochs + 1):
            self.history["train"].append(self._train(train_loader, epoch))
            loss, dices = self.evaluate(val_loader, f"Epoch {epoch} validation")
            self.history["val"].append(loss)
            self.history["dice"].append(dices)
            self.scheduler.step()
        return self.history
