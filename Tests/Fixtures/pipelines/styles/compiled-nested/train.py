# train.py
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from tqdm import tqdm


def log_cosh_dice(logits, labels):
    p = torch.sigmoid(logits)
    dice = 1 - (2 * (p * labels).sum() + 1) / (p.sum() + labels.sum() + 1)
    return torch.log((torch.exp(dice) + torch.exp(-dice)) / 2.0)


def loss_function(logits, labels):
    return bce(logits, labels) + log_cosh_dice(logits, labels)


def epoch_of(model, loader, device, title, optimizer=None):
    model.train(optimizer is not None)
    losses, dices = [], []
    for batch in tqdm(loader, title):
        x, y = batch["pixel_values"].to(device), batch["labels"].to(device)
        if optimizer:
            optimizer.zero_grad(set_to_none=True)
            loss = loss_function(model(x), y)
            loss.backward()
            optimizer.step()
        else:
            with torch.no_grad():
                logits = model(x)
                loss = loss_function(logits, y)
                hard = torch.sigmoid(logits).gt(0.6)
                both, sizes = (hard & y.bool()).sum(), hard.sum() + y.sum()
                dices.append(float(2 * both / sizes) if sizes > 0 else 1.0)
        losses.append(loss.item())
    return sum(losses) / len(losses), dices
