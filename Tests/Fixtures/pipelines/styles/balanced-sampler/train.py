# train.py
import torch
from tqdm import tqdm


class Session:
    def __init__(self, model, device):
        self.model, self.device = model, device
        self.optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        self.loss = torch.nn.BCEWithLogitsLoss()

    def train(self, loader, title):
        self.model.train()
        total = 0
        for x, y in tqdm(loader, desc=title):
            self.optimizer.zero_grad()
            loss = self.loss(self.model(x.to(self.device)), y.to(self.device))
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return total / len(loader)

    @torch.no_grad()
    def evaluate(self, loader, title):
        self.model.eval()
        total, dice = 0, []
        for x, y in tqdm(loader, desc=title):
            z = self.model(x.to(self.device)).cpu()
            total += self.loss(z, y).item()
            h = (torch.sigmoid(z) > 0.5).float()
            dice.append(((2 * (h * y).sum() + 1) / (h.sum() + y.sum() + 1)).item())
        return total / len(loader), dice
