import argparse
import os

import numpy as np
import torch
from torch.utils.data import DataLoader

from dataset import BrainDataset
from model import SmallUNet
from train import test, train

parser = argparse.ArgumentParser()
for flag in ("--data", "--out"):
    parser.add_argument(flag, type=str, required=True)
parser.add_argument("--epochs", type=int, default=25)


def main():
    args = parser.parse_args()
    np.random.seed(11)
    torch.manual_seed(11)
    names = np.random.permutation(sorted(os.listdir(os.path.join(args.data, "images")))).tolist()
    a, b = int(0.8 * len(names)), int(0.9 * len(names))
    parts = {"train": names[:a], "val": names[a:b], "test": names[b:]}
    loaders = {k: DataLoader(BrainDataset(args.data, v), batch_size=6, shuffle=k == "train") for k, v in parts.items()}
    model = SmallUNet()
    os.makedirs(args.out, exist_ok=True)
    best = os.path.join(args.out, "best.pth")
    train(model, loaders, args.epochs, best)
    model.load_state_dict(torch.load(best, map_location="cpu"))
    print(test(model, loaders["test"]))


if __name__ == "__main__":
    main()
