import torch
import torch.nn as nn

WEIGHTS = torch.tensor([1.0, 4.0])


class Trainer:
    def __init__(self, model, loader, epochs):
        self.model, self.loader = model, loader
        self.loss = nn.CrossEntropyLoss(weight=WEIGHTS)
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, max_lr=5e-3, epochs=epochs,
                                                             steps_per_epoch=len(loader))

    def epoch(self):
        self.model.train()
        total = 0
        for x, y in self.loader:
            self.optimizer.zero_grad()
            loss = self.loss(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            self.scheduler.step()
            total += loss.item()
        return total / len(self.loader)

    def evaluate(self, loader):
        self.model.eval()
        scores, total = [], 0
        with torch.inference_mode():
            for x, y in loader:
                out = self.model(x)
                total += self.loss(out, y).item()
                pred = out.argmax(dim=1)
                s = (pred == 1).sum() + (y == 1).sum()
                scores.append(1.0 if s == 0 else (2.0 * ((pred == 1) & (y == 1)).sum() / s).item())
        return total / len(loader), scores
