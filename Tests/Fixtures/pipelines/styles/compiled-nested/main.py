# main.py
import argparse
import json
import os
import random
import time

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import NestedData
from model import UNet
from train import epoch_of


def parts_of(n, seed):
    a, b = train_test_split(list(range(n)), test_size=0.2, random_state=seed)
    return (a, *train_test_split(b, test_size=0.5, random_state=seed))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", default="/data")
    ap.add_argument("--out", default="/out")
    ap.add_argument("--epochs", default=16, type=int)
    args = ap.parse_args()
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(8)
    random.seed(8)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    data = NestedData(args.data, 32)
    parts = parts_of(len(data), 8)
    print("sizes", *map(len, parts))
    loaders = [DataLoader(Subset(data, p), batch_size=6, shuffle=i == 0) for i, p in enumerate(parts)]
    network = UNet().to(device)
    summary(network, (1, 1, 32, 32))
    parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    print("trainable", parameters)
    model = torch.compile(network, backend="eager")
    optimizer = torch.optim.Adam([{"params": network.final.parameters(), "lr": 1e-2},
                                  {"params": [p for n, p in network.named_parameters() if not n.startswith("final")]}],
                                 lr=2e-3, betas=(0.9, 0.99))
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=4, T_mult=2)
    curves = {"train": [], "val": []}
    dices = []
    start = time.time()
    for e in range(1, args.epochs + 1):
        curves["train"].append(epoch_of(model, loaders[0], device, f"training {e}", optimizer)[0])
        loss, dice = epoch_of(model, loaders[1], device, f"validation {e}")
        curves["val"].append(loss)
        dices.append(dice)
        scheduler.step()
    print(f"{time.time() - start:.1f} seconds of training")
    _, test = epoch_of(model, loaders[2], device, "test")

    def table(name, rows):
        pd.DataFrame(rows).to_excel(os.path.join(args.out, name + ".xlsx"), header=False, index=False)

    numbers = list(range(1, args.epochs + 1))
    table("train_losses", [numbers, curves["train"]])
    table("val_losses", [numbers, curves["val"]])
    table("validation_dice_scores", dices)
    table("test_dice_scores", [test])
    torch.save(network, os.path.join(args.out, "unet_model.pth"))
    torch.save(network.state_dict(), os.path.join(args.out, "unet_state_dict.pth"))
    for key in curves:
        plt.plot(numbers, curves[key], label=key)
    plt.legend()
    plt.savefig(os.path.join(args.out, "loss_curve.png"))
    chosen = random.sample(list(parts[2]), min(5, len(parts[2])))
    figure, axes = plt.subplots(len(chosen), 3, squeeze=False)
    network.eval()
    for row, i in zip(axes, chosen):
        item = data[i]
        with torch.no_grad():
            z = network(item["pixel_values"][None].to(device)).sigmoid().cpu()[0] > 0.6
        for axis, key in zip(row, (item["pixel_values"], item["labels"], z)):
            axis.imshow(key[0], cmap="gray")
        row[0].set_title(item["stem"])
    figure.savefig(os.path.join(args.out, "test_samples.png"))
    with open(os.path.join(args.out, "config.json"), "w") as f:
        json.dump({
            "input_size": [32, 32], "input_channels": 1, "encoder_stages": 2, "decoder_stages": 2,
            "encoder_channels": [6, 10], "decoder_channels": [10, 6], "bottleneck_channels": 14,
            "conv_block": "(conv3x3-batchnorm-mish)x1", "normalization": "batch", "upsampling": "bilinear",
            "skip": "nested concatenation", "final_layer": "conv1x1", "output_activation": "none",
            "trainable_parameters": parameters, "dropout": 0, "loss": "BCE with logits + log cosh Dice",
            "optimizer": "Adam", "learning_rate": 0.002, "weight_decay": 0,
            "scheduler": "CosineAnnealingWarmRestarts", "batch_size": 6, "epochs": args.epochs, "threshold": 0.6,
            "seed": 8, "training_samples": len(parts[0]), "validation_samples": len(parts[1]),
            "test_samples": len(parts[2])}, f)


if __name__ == "__main__":
    main()
