import argparse
import os

import torch
from torch.utils.data import DataLoader, Subset

from dataset import Preloaded
from model import AttentionUNet
from train import train_epoch, validate


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data")
    p.add_argument("--out")
    p.add_argument("--epochs", type=int, default=15)
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    data = Preloaded(a.data)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(1)).tolist()
    i, j = int(len(order) * 0.8), int(len(order) * 0.9)
    sets = Subset(data, order[:i]), Subset(data, order[i:j]), Subset(data, order[j:])
    train, val, test = (DataLoader(s, batch_size=5, shuffle=k == 0) for k, s in enumerate(sets))
    weight = torch.tensor([3.0])
    model = AttentionUNet()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=a.epochs)
    best = None
    for epoch in range(a.epochs):
        train_epoch(model, train, optimizer, weight)
        loss, dice = validate(model, val, weight)
        scheduler.step()
        if best is None or loss < best:
            best = loss
            torch.save(model, os.path.join(a.out, "best_model.pth"))
    model = torch.load(os.path.join(a.out, "best_model.pth"), weights_only=False)
    print(validate(model, test, weight))


if __name__ == "__main__":
    main()
