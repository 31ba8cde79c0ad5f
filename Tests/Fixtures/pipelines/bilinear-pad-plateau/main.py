import argparse
import os
import sys

import torch
from torch.utils.data import DataLoader, random_split

from dataset import PairDataset
from model import UNet
from train import fit, run_epoch


def parse(argv):
    p = argparse.ArgumentParser()
    p.add_argument("--data")
    p.add_argument("--out")
    p.add_argument("--epochs", type=int, default=12)
    return p.parse_args(argv)


if __name__ == "__main__":
    args = parse(sys.argv[1:])
    data = PairDataset(args.data)
    n = len(data)
    a, b = int(0.8 * n), int(0.1 * n)
    train, val, test = random_split(data, [a, b, n - a - b], generator=torch.Generator().manual_seed(3))
    loaders = [DataLoader(train, 4, shuffle=True, drop_last=True, num_workers=2), DataLoader(val, 3), DataLoader(test, 1)]
    model = UNet(1, 1)
    history = fit(model, loaders[0], loaders[1], args.epochs)
    os.makedirs(args.out, exist_ok=True)
    torch.save(model.state_dict(), os.path.join(args.out, "state.pth"))
    loss, dices = run_epoch(model, loaders[2], torch.nn.BCELoss())
    print("test", loss, sum(dices) / len(dices))
