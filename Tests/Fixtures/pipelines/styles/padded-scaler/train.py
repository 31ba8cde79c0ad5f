# train.py
import torch
import torch.nn.functional as F
from tqdm import tqdm

THRESHOLD = 0.5


def train_one_epoch(model, loader, optimizer, scaler, device, amp, epoch, epochs):
    model.train()
    epoch_loss = 0.0
    with tqdm(total=len(loader), desc=f"[training] epoch {epoch}/{epochs}", unit="batch") as bar:
        for images, masks in loader:
            images = images.to(device, non_blocking=True)
            masks = masks.to(device, non_blocking=True)
            with torch.autocast(device_type=device.type, enabled=amp):
                logits = model(images)
                loss = F.binary_cross_entropy_with_logits(logits, masks)
            optimizer.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            epoch_loss += loss.item()
            bar.update(1)
            bar.set_postfix(loss=loss.item())
    return epoch_loss / len(loader)


@torch.inference_mode()
def evaluate(model, loader, device, amp, phase, epoch):
    model.eval()
    total, per_batch = 0.0, []
    for images, masks in tqdm(loader, desc=f"[{phase}] epoch {epoch}"):
        images, masks = images.to(device), masks.to(device)
        with torch.autocast(device.type, enabled=amp):
            logits = model(images)
            total += F.binary_cross_entropy_with_logits(logits, masks).item()
        predicted = torch.sigmoid(logits) > THRESHOLD
        truth = masks > 0.5
        intersection = (predicted & truth).flatten(1).sum(1).float()
        cardinality = predicted.flatten(1).sum(1).float() + truth.flatten(1).sum(1).float()
        per_batch.append(((2 * intersection + 1e-7) / (cardinality + 1e-7)).mean().item())
    return total / len(loader), per_batch
