import torch.nn as nn


def train_epoch(model, loader, optimizer):
    criterion = nn.BCEWithLogitsLoss()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)
