import torch


def run_epoch(model, loader, criterion, optimizer=None):
    total, n = 0.0, 0
    for x, y in loader:
        pred = torch.sigmoid(model(x))
        loss = criterion(pred, y)
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        total += loss.item() * len(x)
        n += len(x)
    return total / n
