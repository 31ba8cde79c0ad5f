# train.py
import torch
import torch.nn.functional as F
from tqdm import tqdm


class DeepSupervisionLoss(torch.nn.Module):
    """Weights halve from level to level; truth is shrunk to each level."""

    def forward(self, outputs, target):
        if torch.is_tensor(outputs):
            outputs = [outputs]
        total, norm = 0.0, 0.0
        for level, out in enumerate(outputs):
            truth = target if level == 0 else F.interpolate(target, size=out.shape[-2:], mode="nearest")
            weight = 0.5 ** level
            total = total + weight * F.binary_cross_entropy_with_logits(out, truth)
            norm += weight
        return total / norm


def train_step(model, batch, optimizer, criterion, device):
    x, y = (t.to(device) for t in batch)
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 12.0)
    optimizer.step()
    return loss.item()


def train(model, loader, optimizer, criterion, device, epoch):
    model.train()
    losses = [train_step(model, b, optimizer, criterion, device) for b in tqdm(loader, desc=f"train {epoch}")]
    return sum(losses) / len(losses)


def validate(model, loader, criterion, device, label):
    model.eval()
    losses, scores = [], []
    with torch.no_grad():
        for x, y in tqdm(loader, desc=label):
            x, y = x.to(device), y.to(device)
            z = model(x)
            losses.append(criterion(z, y).item())
            h = (torch.sigmoid(z) > 0.5).to(y.dtype)
            tp, fp, fn = (h * y).sum(), (h * (1 - y)).sum(), ((1 - h) * y).sum()
            scores.append(((2 * tp + 1e-6) / (2 * tp + fp + fn + 1e-6)).item())
    return sum(losses) / len(losses), scores
