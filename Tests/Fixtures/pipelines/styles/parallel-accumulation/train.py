# train.py
import numpy as np
import torch
import torch.nn as nn
from tqdm import tqdm


def train_one_epoch(model, loader, optimizer, scheduler, criterion, device, accumulate, epoch):
    model.train()
    optimizer.zero_grad()
    total = 0.0
    for step, (images, masks) in enumerate(tqdm(loader, desc=f"training {epoch}")):
        loss = criterion(model(images.to(device)), masks.to(device))
        (loss / accumulate).backward()
        if (step + 1) % accumulate == 0 or step + 1 == len(loader):
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=5.0, norm_type=2)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
        total += loss.item()
    return total / len(loader)


def evaluate(model, loader, criterion, device, name):
    model.eval()
    losses, dices = [], []
    with torch.no_grad():
        for images, masks in tqdm(loader, desc=name):
            logits = model(images.to(device)).cpu()
            losses.append(criterion(logits, masks).item())
            predicted = (1 / (1 + np.exp(-logits.numpy()))) > 0.5
            truth = masks.numpy() > 0.5
            total = predicted.sum() + truth.sum()
            dices.append(float(2 * np.logical_and(predicted, truth).sum() / total) if total else 1.0)
    return float(np.mean(losses)), dices
