# train.py
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as criterion
from tqdm import tqdm


def train_model(model, loader, optimizer, device, epoch):
    model.train()
    sums = 0.0
    for image, mask in tqdm(loader, f"training {epoch}"):
        optimizer.zero_grad()
        loss = criterion(model(image.to(device)), mask.to(device))
        loss.backward()
        optimizer.step()
        sums += loss.item()
    return sums / len(loader)


def test_model(model, loader, device, phase):
    model.eval()
    sums, dice = 0.0, []
    with torch.no_grad():
        for image, mask in tqdm(loader, phase):
            logits = model(image.to(device)).cpu()
            sums += criterion(logits, mask).item()
            found = (logits.sigmoid() > 0.5).float()
            dice.append(((2 * (found * mask).sum() + 1) / (found.sum() + mask.sum() + 1)).item())
    return sums / len(loader), dice
