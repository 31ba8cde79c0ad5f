import torch.nn as nn

def train_epoch(model, loader, optimizer):
    criterion = nn.CrossEntropyLoss()
    total = 0.0
    for images, masks in loader:
        optimizer.zero_grad()
        loss = criterion(model(images), masks)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)
