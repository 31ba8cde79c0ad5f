# train.py
import torch
from torch import nn
from tqdm import tqdm


class ComboLoss(nn.Module):
    """Mean squared error of probabilities and soft Dice with squares."""

    def __init__(self, lam=0.5):
        super().__init__()
        self.lam, self.mse = lam, nn.MSELoss()

    def forward(self, logits, target):
        p = torch.sigmoid(logits)
        num = 2.0 * torch.einsum("bchw,bchw->b", p, target)
        den = p.square().sum((1, 2, 3)) + target.square().sum((1, 2, 3))
        return self.lam * self.mse(p, target) + (1 - self.lam) * (1 - (num + 1) / (den + 1)).mean()


def fit(model, train_loader, val_loader, epochs, lr, device):
    """The whole training in one function; gives back its curves."""
    criterion = ComboLoss()
    decay = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}], lr=lr)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=max(epochs, 1) * len(train_loader),
                                                    pct_start=0.25, anneal_strategy="linear", three_phase=True)
    train_losses, val_losses, val_dices = [], [], []
    best, best_weights = -1, None
    for epoch in range(1, epochs + 1):
        model.train()
        running = 0.0
        for image, mask in tqdm(train_loader, desc=f"Epoch {epoch}/{epochs} training"):
            image, mask = image.to(device), mask.to(device)
            optimizer.zero_grad()
            loss = criterion(model(image), mask)
            loss.backward()
            optimizer.step()
            scheduler.step()
            running += loss.item()
        train_losses.append(running / len(train_loader))
        loss, dices = predict(model, val_loader, criterion, device, f"Epoch {epoch}/{epochs} validation")
        val_losses.append(loss)
        val_dices.append(dices)
        score = sum(dices) / len(dices)
        if score > best:
            best, best_weights = score, {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
    if best_weights is not None:
        model.load_state_dict(best_weights)
    return train_losses, val_losses, val_dices


@torch.no_grad()
def predict(model, loader, criterion, device, label):
    model.eval()
    loss, dices = 0.0, []
    for image, mask in tqdm(loader, desc=label):
        image, mask = image.to(device), mask.to(device)
        logits = model(image)
        loss += criterion(logits, mask).item()
        prediction = torch.sigmoid(logits) > 0.5
        overlap, size = (prediction & (mask > 0.5)).sum().item(), prediction.sum().item() + mask.sum().item()
        dices.append(2 * overlap / size if size > 0 else 1.0)
    return loss / len(loader), dices
