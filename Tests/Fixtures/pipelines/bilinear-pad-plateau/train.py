import copy

import torch
import torch.nn as nn


def batch_dice(p, m):
    p = (p >= 0.5).float()
    i = (p * m).sum()
    s = p.sum() + m.sum()
    return 1.0 if s == 0 else (2 * i / s).item()


def run_epoch(model, loader, loss_fn, optimizer=None):
    training = optimizer is not None
    model.train(training)
    losses, dices = [], []
    with torch.set_grad_enabled(training):
        for batch in loader:
            x, y = batch["image"], batch["mask"].unsqueeze(1)
            p = model(x)
            loss = loss_fn(p, y)
            if training:
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
            losses.append(loss.item() * x.size(0))
            dices.append(batch_dice(p.detach(), y))
    return sum(losses) / len(loader.dataset), dices


def fit(model, train_loader, val_loader, epochs):
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-5)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=2)
    best, best_state, history = float("inf"), None, []
    for epoch in range(1, epochs + 1):
        train_loss, _ = run_epoch(model, train_loader, nn.BCELoss(), optimizer)
        val_loss, dices = run_epoch(model, val_loader, nn.BCELoss())
        scheduler.step(val_loss)
        if val_loss < best:
            best, best_state = val_loss, copy.deepcopy(model.state_dict())
        history.append((train_loss, val_loss, dices))
    model.load_state_dict(best_state)
    return history
