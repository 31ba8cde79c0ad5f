import argparse
import os

import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, SubsetRandomSampler, Subset

from dataset import Slices
from model import TwoClassUNet
from train import Trainer


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", default="/data")
    ap.add_argument("--out", default="/out")
    ap.add_argument("--epochs", type=int, default=10)
    args = ap.parse_args()
    torch.manual_seed(5)
    data = Slices(args.data)
    train, rest = train_test_split(range(len(data)), test_size=0.2, random_state=5)
    val, test = train_test_split(rest, test_size=0.5, random_state=5)
    train_loader = DataLoader(data, batch_size=8, sampler=SubsetRandomSampler(train))
    val_loader, test_loader = (DataLoader(Subset(data, part), batch_size=2) for part in (val, test))
    trainer = Trainer(TwoClassUNet(), train_loader, args.epochs)
    for epoch in range(args.epochs):
        print(epoch, trainer.epoch(), trainer.evaluate(val_loader))
    print("test", trainer.evaluate(test_loader))
    os.makedirs(args.out, exist_ok=True)
    torch.save(trainer.model, os.path.join(args.out, "model.pth"))


if __name__ == "__main__":
    main()
