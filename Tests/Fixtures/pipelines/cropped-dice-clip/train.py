import torch


def bce_dice(logits, target):
    p = torch.sigmoid(logits).clamp(1e-6, 1 - 1e-6)
    bce = -(target * p.log() + (1 - target) * (1 - p).log()).mean()
    inter = (p * target).flatten(1).sum(1)
    dice = 1 - (2 * inter + 1) / (p.flatten(1).sum(1) + target.flatten(1).sum(1) + 1)
    return 0.5 * bce + dice.sum() / logits.size(0)


def score(logits, target):
    pred = logits > 0
    both = pred.sum() + (target > 0.5).sum()
    return 1.0 if both == 0 else float(2 * (pred & (target > 0.5)).sum() / both)


def train(model, loaders, epochs, path):
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    sched = torch.optim.lr_scheduler.StepLR(opt, step_size=5, gamma=0.5)
    best, wait, history = -1.0, 0, []
    for _ in range(epochs):
        model.train()
        for x, y in loaders["train"]:
            y = y.unsqueeze(1).float()
            opt.zero_grad()
            loss = bce_dice(model(x), y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            opt.step()
        sched.step()
        loss, dice = test(model, loaders["val"])
        history.append((loss, dice))
        if sum(dice) / len(dice) > best:
            best, wait = sum(dice) / len(dice), 0
            torch.save(model.state_dict(), path)
        else:
            wait += 1
            if wait >= 6:
                print("early stopping")
                break
    return history


@torch.no_grad()
def test(model, loader):
    model.eval()
    losses, dice = [], []
    for x, y in loader:
        y = y.unsqueeze(1).float()
        out = model(x)
        losses.append(bce_dice(out, y).item())
        dice.append(score(out, y))
    return sum(losses) / len(losses), dice
