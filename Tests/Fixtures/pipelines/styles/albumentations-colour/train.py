# train.py
import torch
from tqdm import tqdm


class DiceBCELoss(torch.nn.Module):
    def forward(self, inputs, targets, smooth=1):
        inputs = torch.sigmoid(inputs)
        inputs = inputs.view(-1)
        targets = targets.view(-1)
        intersection = (inputs * targets).sum()
        dice_loss = 1 - (2.0 * intersection + smooth) / (inputs.sum() + targets.sum() + smooth)
        bce = torch.nn.functional.binary_cross_entropy(inputs, targets, reduction="mean")
        return bce + dice_loss


def train(model, loader, optimizer, scheduler, loss_fn, device, epoch):
    epoch_loss = 0.0
    model.train()
    for i, (x, y) in enumerate(tqdm(loader, desc=f"Train {epoch:02d}")):
        x = x.to(device, dtype=torch.float32)
        y = y.to(device, dtype=torch.float32)
        optimizer.zero_grad()
        y_pred = model(x)
        loss = loss_fn(y_pred, y)
        loss.backward()
        optimizer.step()
        scheduler.step()
        epoch_loss += loss.item()
    return epoch_loss / len(loader)


def evaluate(model, loader, loss_fn, device, name):
    epoch_loss, dices = 0.0, []
    model.eval()
    with torch.no_grad():
        for x, y in tqdm(loader, desc=name):
            x = x.to(device, dtype=torch.float32)
            y = y.to(device, dtype=torch.float32)
            y_pred = model(x)
            epoch_loss += loss_fn(y_pred, y).item()
            p = (torch.sigmoid(y_pred) >= 0.5).float()
            dices.append(((2 * (p * y).sum() + 1e-8) / (p.sum() + y.sum() + 1e-8)).item())
    return epoch_loss / len(loader), dices
