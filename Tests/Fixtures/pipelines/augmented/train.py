import torch
from tqdm import tqdm


def dice(logits, masks, epsilon=1e-7):
    predictions = (torch.sigmoid(logits) > 0.5).float()
    intersection = (predictions * masks).sum()
    return ((2 * intersection + epsilon) / (predictions.sum() + masks.sum() + epsilon)).item()


def train_one_epoch(model, loader, optimizer, criterion, device):
    model.train()
    total = 0.0
    for images, masks, _ in tqdm(loader, desc="training"):
        images, masks = images.to(device), masks.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), masks)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def evaluate(model, loader, criterion, device, phase):
    model.eval()
    total, scores = 0.0, []
    with torch.no_grad():
        for images, masks, _ in tqdm(loader, desc=phase):
            images, masks = images.to(device), masks.to(device)
            logits = model(images)
            total += criterion(logits, masks).item()
            scores.append(dice(logits, masks))
    return total / len(loader), scores
