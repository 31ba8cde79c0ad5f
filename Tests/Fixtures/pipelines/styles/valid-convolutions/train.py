# train.py
import torch
from tqdm import tqdm


def soft_dice_loss(logits, y, eps=1e-5):
    p = logits.sigmoid()
    numerator = 2 * torch.sum(p * y) + eps
    denominator = torch.sum(p ** 2) + torch.sum(y ** 2) + eps
    return 1 - numerator / denominator


def hard_dice(logits, y, cut):
    p = (logits > cut).float()
    return ((2 * (p * y).sum((1, 2, 3)) + 1e-5) / (p.sum((1, 2, 3)) + y.sum((1, 2, 3)) + 1e-5)).mean().item()


def train(net, batches, optimiser, device, epoch):
    net.train()
    history = []
    for x, y in tqdm(batches, desc=f"training epoch {epoch}"):
        optimiser.zero_grad()
        loss = soft_dice_loss(net(x.to(device)), y.to(device))
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    return sum(history) / len(history)


def assess(net, batches, device, epoch, phase, cut=0.0):
    """The threshold is on logits: 0 is a probability of one half."""
    net.eval()
    history, dice = [], []
    for x, y in tqdm(batches, desc=f"{phase} epoch {epoch}"):
        with torch.no_grad():
            out = net(x.to(device))
            history.append(soft_dice_loss(out, y.to(device)).item())
            dice.append(hard_dice(out, y.to(device), cut))
    return sum(history) / len(history), dice
