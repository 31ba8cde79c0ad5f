import torch
from tqdm import tqdm


def dice(prediction, target):
    overlap = (prediction * target).sum()
    return 2 * overlap / (prediction.sum() + target.sum())


def train_epoch(model, loader, optimizer):
    for images, masks in tqdm(loader, desc="training"):
        optimizer.zero_grad()


def evaluate(model, loader):
    with torch.no_grad():
        return [dice(model(images), masks) for images, masks in loader]
