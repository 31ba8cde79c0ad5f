from tqdm import tqdm


def train_one_epoch(model, loader, optimizer, loss_fn):
    model.train()
    losses = []
    for images, masks in tqdm(loader, desc="train", leave=False):
        optimizer.zero_grad()
        loss = loss_fn(model(images), masks)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / max(1, len(losses))
