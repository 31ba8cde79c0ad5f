# train.py
import torch
import torch.nn.functional as F
from tqdm import tqdm


def sgd(parameters, rate):
    """Gradient descent without a class for it."""
    with torch.no_grad():
        for p in parameters:
            p -= rate * p.grad
            p.grad.zero_()


def learn(model, loader, rate, device, label):
    model.train()
    values = []
    for x, y in tqdm(loader, desc=label):
        loss = F.binary_cross_entropy_with_logits(model(x.to(device)), y.to(device))
        loss.backward()
        sgd(model.parameters(), rate)
        values.append(loss.item())
    return sum(values) / len(values)


def judge(model, loader, device, label):
    model.eval()
    values, scores = [], []
    with torch.no_grad():
        for x, y in tqdm(loader, desc=label):
            z = model(x.to(device)).cpu()
            values.append(F.binary_cross_entropy_with_logits(z, y).item())
            h = torch.sigmoid(z).round()
            scores.append(((2 * (h * y).sum() + 1) / (h.sum() + y.sum() + 1)).item())
    return sum(values) / len(values), scores
