# train.py
import torch
import torch.nn.functional as F
from tqdm import tqdm


def to(device, thing):
    if isinstance(thing, dict):
        return {k: to(device, v) for k, v in thing.items()}
    return thing.to(device) if isinstance(thing, torch.Tensor) else thing


def loss_of(output, target):
    """Smooth L1 of probabilities beside cross entropy."""
    z = output["logits"]
    return F.binary_cross_entropy_with_logits(z, target) + 0.5 * F.smooth_l1_loss(z.sigmoid(), target)


def train(model, loader, optimizer, device, epoch):
    model.train()
    total, seen = 0.0, 0
    for batch in tqdm(loader, desc=f"training, epoch {epoch}"):
        batch = to(device, batch)
        optimizer.zero_grad()
        loss = loss_of(model(**batch["inputs"]), batch["target"])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch["id"])
        seen += len(batch["id"])
    return total / seen


def evaluate(model, loader, device, text):
    model.eval()
    total, seen, dice = 0.0, 0, []
    with torch.no_grad():
        for batch in tqdm(loader, desc=text):
            batch = to(device, batch)
            output = model(**batch["inputs"])
            total += loss_of(output, batch["target"]).item() * len(batch["id"])
            seen += len(batch["id"])
            p = torch.sigmoid(output["logits"]).ge(0.5).float()
            y = batch["target"]
            dice.append(((2 * (p * y).sum() + 1e-6) / (p.sum() + y.sum() + 1e-6)).item())
    return total / seen, dice
