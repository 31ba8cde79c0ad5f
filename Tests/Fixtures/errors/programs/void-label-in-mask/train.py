import torch.nn.functional as F

def step(model, batch, optimizer):
    images, masks = batch
    logits = model(images)
    loss = F.cross_entropy(logits, masks)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
