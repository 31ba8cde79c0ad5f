# train.py
import torch
from tqdm import tqdm


def dice_coefficient(probabilities, masks, threshold=0.5, smooth=1e-6):
    predicted = (probabilities > threshold).float()
    overlap = (predicted * masks).sum(dim=(1, 2, 3))
    sizes = predicted.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3))
    return ((2 * overlap + smooth) / (sizes + smooth)).mean().item()


def train_epoch(model, loader, criterion, optimizer, device, epoch):
    model.train()
    running = 0.0
    for images, masks, _ in tqdm(loader, desc=f"training {epoch}"):
        images, masks = images.to(device), masks.to(device)
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, masks)
        loss.backward()
        optimizer.step()
        running += loss.item() * images.size(0)
    return running / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader, criterion, device, phase, epoch):
    model.eval()
    running, scores = 0.0, []
    for images, masks, _ in tqdm(loader, desc=f"{phase} {epoch}"):
        images, masks = images.to(device), masks.to(device)
        outputs = model(images)
        running += criterion(outputs, masks).item() * images.size(0)
        scores.append(dice_coefficient(outputs, masks))
    return running / len(loader.dataset), scores
