import torch
import torch.nn.functional as F

ACCUMULATE = 2


def train_epoch(model, loader, optimizer, weight):
    model.train()
    optimizer.zero_grad()
    for i, (x, y) in enumerate(loader):
        loss = F.binary_cross_entropy_with_logits(model(x), y.squeeze(1).float(), pos_weight=weight) / ACCUMULATE
        loss.backward()
        if (i + 1) % ACCUMULATE == 0:
            torch.nn.utils.clip_grad_value_(model.parameters(), 0.5)
            optimizer.step()
            optimizer.zero_grad()


def validate(model, loader, weight):
    model.eval()
    loss, dice = 0.0, []
    with torch.no_grad():
        for x, y in loader:
            y = y.squeeze(1).float()
            z = model(x)
            loss += F.binary_cross_entropy_with_logits(z, y, pos_weight=weight).item()
            p = torch.round(torch.sigmoid(z))
            dice.append(((2 * (p * y).sum() + 1e-6) / (p.sum() + y.sum() + 1e-6)).item())
    return loss / len(loader), dice
