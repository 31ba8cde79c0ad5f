import torch
import torch.nn.functional as F

def train_step(model, optimizer, scaler, x, y):
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(x)
    loss = F.binary_cross_entropy_with_logits(logits.float(), y)
    scaler.scale(loss).backward()
    for part in (model.encoder, model.decoder):
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(part.parameters(), 1.0)
    scaler.step(optimizer)
    scaler.update()
    return loss.item()
