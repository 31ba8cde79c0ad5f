# train.py
import torch
import torch.nn as nn
from tqdm import tqdm

HINGE = "hinge"


def make_loss(kind):
    if kind == HINGE:
        # Margins for signs: +1 in the foreground, -1 elsewhere.
        return lambda z, y: nn.functional.relu(1 - z * (2 * y - 1)).mean()
    if kind == "bce":
        return nn.BCEWithLogitsLoss()
    raise ValueError(kind)


class Runner:
    def __init__(self, model, loss, optimizer, device, scheduler=None):
        self.__dict__.update(model=model, loss=loss, optimizer=optimizer, device=device, scheduler=scheduler)

    def __call__(self, loader, phase, epoch=0):
        training = phase == "training"
        self.model.train(training)
        losses, dice = [], []
        torch.set_grad_enabled(training)
        for x, y in tqdm(loader, desc=f"{phase} {epoch}"):
            x, y = x.to(self.device), y.to(self.device)
            z = self.model(x)
            loss = self.loss(z, y)
            losses.append(loss.item())
            if training:
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
            else:
                h = (z > 0).float()
                s = h.sum() + y.sum()
                dice.append((2 * (h * y).sum() / s).item() if s.item() else 1.0)
        torch.set_grad_enabled(True)
        if training and self.scheduler is not None:
            self.scheduler.step()
        return sum(losses) / len(losses), dice
