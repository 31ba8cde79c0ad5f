# train.py
import torch
import torch.nn.functional as F
from tqdm import tqdm


def training_pass(model, loader, optimizer, class_weights, device, tag):
    model.train()
    mean = 0.0
    for k, (image, label) in enumerate(tqdm(loader, desc=tag), start=1):
        scores = model(image.to(device))
        loss = F.cross_entropy(scores, label.to(device), weight=class_weights, label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean += (loss.item() - mean) / k
    return mean


def evaluation_pass(model, loader, class_weights, device, tag):
    model.eval()
    mean, dice = 0.0, []
    with torch.no_grad():
        for k, (image, label) in enumerate(tqdm(loader, desc=tag), start=1):
            label = label.to(device)
            scores = model(image.to(device))
            loss = F.cross_entropy(scores, label, weight=class_weights, label_smoothing=0.05)
            mean += (loss.item() - mean) / k
            foreground = torch.softmax(scores, dim=1).argmax(dim=1)
            both = ((foreground == 1) & (label == 1)).sum().item()
            total = (foreground == 1).sum().item() + (label == 1).sum().item()
            dice.append(2 * both / total if total else 1.0)
    return mean, dice
