# train.py
import torch
from tqdm import tqdm

CRITERION = torch.nn.BCEWithLogitsLoss()


def amp(device):
    return torch.autocast(device.type, dtype=torch.bfloat16 if device.type == "cpu" else torch.float16)


def train(model, loader, optimizer, scaler, device, epoch):
    model.train()
    losses = []
    for x, y in tqdm(loader, desc=f"training {epoch}"):
        optimizer.zero_grad()
        with amp(device):
            loss = CRITERION(model(x.to(device)), y.to(device))
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def evaluate(model, loader, device, phase):
    model.eval()
    losses, dice = [], []
    with torch.no_grad(), amp(device):
        for x, y in tqdm(loader, desc=phase):
            z = model(x.to(device))
            losses.append(CRITERION(z, y.to(device)).item())
            p = (torch.sigmoid(z.float()) > 0.5).float().cpu()
            dice.append(((2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)).item())
    return sum(losses) / len(losses), dice
