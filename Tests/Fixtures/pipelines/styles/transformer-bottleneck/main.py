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
from torch.utils.data import DataLoader
from torchinfo import summary

from dataset import LetterDataset
from model import UNet
from train import Phase


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", default="/data")
    arguments.add_argument("--out", default="/out")
    arguments.add_argument("--epochs", default=13, type=int)
    arguments = arguments.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    random.seed(6)
    torch.manual_seed(6)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    names = sorted(os.listdir(os.path.join(arguments.data, "images")))
    train, rest = train_test_split(names, test_size=0.2, random_state=6)
    val, test = train_test_split(rest, test_size=0.5, random_state=6)
    print(f"training {len(train)}, validation {len(val)}, test {len(test)}")
    sets = [LetterDataset(arguments.data, part) for part in (train, val, test)]
    train_loader = DataLoader(sets[0], batch_size=7, shuffle=True)
    val_loader, test_loader = (DataLoader(s, batch_size=7) for s in sets[1:])
    model = UNet().to(device)
    summary(model, (1, 1, 32, 32))
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("parameters", count)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=8, eta_min=1e-5)
    learn = Phase("training", model, device, optimizer, scheduler, limit=1.0)
    check = Phase("validation", model, device)
    results = []
    t0 = time.time()
    for epoch in range(1, arguments.epochs + 1):
        results.append((epoch, learn.run(train_loader, epoch)[0], *check.run(val_loader, epoch)))
    print(f"{time.time() - t0:.1f} s of training")
    _, test_dice = Phase("test", model, device).run(test_loader, arguments.epochs)
    epochs, train_losses, val_losses, dice = map(list, zip(*results))

    def save(name, rows):
        pd.DataFrame(rows).to_excel(os.path.join(arguments.out, name), header=False, index=False)

    save("train_losses.xlsx", [epochs, train_losses])
    save("val_losses.xlsx", [epochs, val_losses])
    save("validation_dice_scores.xlsx", dice)
    save("test_dice_scores.xlsx", [test_dice])
    torch.save(model, os.path.join(arguments.out, "unet_model.pth"))
    torch.save(model.state_dict(), os.path.join(arguments.out, "unet_state_dict.pth"))
    plt.plot(epochs, train_losses, label="training")
    plt.plot(epochs, val_losses, label="validation")
    plt.legend()
    plt.savefig(os.path.join(arguments.out, "loss_curve.png"))
    plt.close()
    rows = random.sample(range(len(test)), min(5, len(test)))
    figure, axes = plt.subplots(len(rows), 3, squeeze=False)
    model.eval()
    for line, i in zip(axes, rows):
        (x, y), name = sets[2][i]
        with torch.no_grad():
            z = model(x[None].to(device)).sigmoid()[0].cpu() > 0.5
        for axis, what in zip(line, (x, y, z)):
            axis.imshow(what[0], cmap="gray")
        line[1].set_title(name)
    figure.savefig(os.path.join(arguments.out, "test_samples.png"))
    with open(os.path.join(arguments.out, "config.json"), "w") as f:
        json.dump({
            "input_size": [32, 32], "input_channels": 1, "encoder_stages": 2, "decoder_stages": 2,
            "encoder_channels": [8, 16], "decoder_channels": [16, 8], "bottleneck_channels": 32,
            "conv_block": "(conv3x3-batchnorm-gelu)x1, self-attention below", "normalization": "batch",
            "upsampling": "transposed", "skip": "concatenation", "final_layer": "conv1x1",
            "output_activation": "none", "trainable_parameters": count, "dropout": 0, "loss": "BCE + Dice",
            "optimizer": "AdamW", "learning_rate": 1e-3, "weight_decay": 0.02, "scheduler": "CosineAnnealingLR",
            "batch_size": 7, "epochs": arguments.epochs, "threshold": 0.5, "seed": 6, "training_samples": len(train),
            "validation_samples": len(val), "test_samples": len(test)}, f)


if __name__ == "__main__":
    main()
