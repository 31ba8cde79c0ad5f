# train.py
import copy
import time

import torch
from torch import nn
from tqdm import tqdm

from model import UNet


class SegmentationTask(nn.Module):
    """Model, loss, metric and optimizer in one place."""

    def __init__(self, lr):
        super().__init__()
        self.model, self.lr, self.criterion = UNet(), lr, nn.BCEWithLogitsLoss()

    def forward(self, x):
        return self.model(x)

    def _shared(self, batch):
        x, y, _ = batch
        logits = self(x)
        return logits, y, self.criterion(logits, y)

    def training_step(self, batch):
        return self._shared(batch)[2]

    def validation_step(self, batch):
        logits, y, loss = self._shared(batch)
        p = (logits.sigmoid() > 0.5).float()
        numerator, denominator = 2 * (p * y).sum(), p.sum() + y.sum()
        return {"loss": loss, "dice": (numerator + 1e-7) / (denominator + 1e-7)}

    test_step = validation_step

    def configure_optimizers(self):
        optimizer = torch.optim.Adamax(self.parameters(), lr=self.lr)
        warm = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.2, total_iters=3)
        decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=12)
        return optimizer, torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, decay], milestones=[3])


class Callback:
    def on_validation_end(self, trainer, task, loss):
        pass

    def on_fit_end(self, trainer, task):
        pass


class BestWeights(Callback):
    def __init__(self):
        self.best, self.state = None, None

    def on_validation_end(self, trainer, task, loss):
        if self.best is None or loss < self.best:
            self.best, self.state = loss, copy.deepcopy(task.state_dict())

    def on_fit_end(self, trainer, task):
        task.load_state_dict(self.state)


class MiniTrainer:
    """Runs a task over a data module, as larger frameworks do."""

    def __init__(self, max_epochs, device, callbacks=()):
        self.max_epochs, self.device, self.callbacks = max_epochs, device, callbacks
        self.logs = {"train": [], "val": [], "dice": []}

    def _move(self, batch):
        return [t.to(self.device) if torch.is_tensor(t) else t for t in batch]

    def _evaluate(self, step, loader, name):
        results = []
        with torch.no_grad():
            for batch in tqdm(loader, desc=name):
                results.append({k: v.item() for k, v in step(self._move(batch)).items()})
        return sum(r["loss"] for r in results) / len(results), [r["dice"] for r in results]

    def fit(self, task, data):
        task.to(self.device)
        optimizer, scheduler = task.configure_optimizers()
        train_loader, val_loader = data.train_dataloader(), data.val_dataloader()
        start = time.time()
        for epoch in range(self.max_epochs):
            task.train()
            losses = []
            for batch in tqdm(train_loader, desc=f"training, epoch {epoch}"):
                loss = task.training_step(self._move(batch))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            task.eval()
            loss, dice = self._evaluate(task.validation_step, val_loader, f"validation, epoch {epoch}")
            scheduler.step()
            self.logs["train"].append(torch.stack(losses).mean().item())
            self.logs["val"].append(loss)
            self.logs["dice"].append(dice)
            for callback in self.callbacks:
                callback.on_validation_end(self, task, loss)
        for callback in self.callbacks:
            callback.on_fit_end(self, task)
        print(f"fit: {time.time() - start:.1f} s")

    def test(self, task, data):
        task.eval()
        return self._evaluate(task.test_step, data.test_dataloader(), "test")[1]
