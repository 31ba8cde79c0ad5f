# main.py
import argparse
import json
import os
import time

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import JointTransformDataset, default_transform
from model import UNet
from train import Objective, train_epoch, validate

H, W = 40, 48


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(21)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = JointTransformDataset(args.data, default_transform((H, W)))
    a, rest = train_test_split(list(range(len(data))), test_size=0.2, random_state=21)
    b, c = train_test_split(rest, test_size=0.5, random_state=21)
    print("Split:", len(a), len(b), len(c))
    val_loader = DataLoader(Subset(data, b), batch_size=5)
    test_loader = DataLoader(Subset(data, c), batch_size=5)
    train_loader = DataLoader(Subset(data, a), batch_size=5, shuffle=True)
    model = UNet().to(device)
    summary(model, input_size=(1, 1, H, W))
    size = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("Trainable parameters:", size)
    objective = Objective().to(device)
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.02, lr_decay=1e-3)

    # Untrained first: a loop that cannot evaluate should fail now and not after an epoch.
    before = validate(model, val_loader, objective, device, "sanity check")
    print(f"untrained: loss {before.loss:.4f}")
    best, patience, waited = before.loss, 7, 0
    path = os.path.join(args.out, "unet_state_dict.pth")
    torch.save(model.state_dict(), path)
    train_losses, val_losses, val_dice = [], [], []
    clock = time.time()
    for epoch in range(1, args.epochs + 1):
        train_losses.append(train_epoch(model, train_loader, objective, optimizer, device, f"training {epoch}").loss)
        result = validate(model, val_loader, objective, device, f"validation {epoch}")
        val_losses.append(result.loss)
        val_dice.append(result.dices)
        if result.loss < best - 1e-4:
            best, waited = result.loss, 0
            torch.save(model.state_dict(), path)
        else:
            waited += 1
        if waited == patience:
            print(f"stopped after epoch {epoch}")
            break
    print(f"{time.time() - clock:.1f} s")
    model.load_state_dict(torch.load(path))
    torch.save(model, os.path.join(args.out, "unet_model.pth"))
    test = validate(model, test_loader, objective, device, "test")

    n = list(range(1, len(train_losses) + 1))
    pd.DataFrame([n, train_losses]).to_excel(f"{args.out}/train_losses.xlsx", header=False, index=False)
    pd.DataFrame([n, val_losses]).to_excel(f"{args.out}/val_losses.xlsx", header=False, index=False)
    pd.DataFrame(val_dice).to_excel(f"{args.out}/validation_dice_scores.xlsx", header=False, index=False)
    pd.DataFrame([test.dices]).to_excel(f"{args.out}/test_dice_scores.xlsx", header=False, index=False)
    plt.plot(n, train_losses, label="training")
    plt.plot(n, val_losses, label="validation")
    plt.legend()
    plt.savefig(f"{args.out}/loss_curve.png")
    plt.close()
    chosen = torch.randperm(len(c))[:5].tolist()
    figure, axes = plt.subplots(len(chosen), 3, squeeze=False)
    model.eval()
    for row, k in zip(axes, chosen):
        image, mask = data[c[k]]
        with torch.no_grad():
            p = torch.sigmoid(model(image[None].to(device)))[0].cpu() >= 0.5
        for axis, what in zip(row, (image, mask, p)):
            axis.imshow(what[0], cmap="gray")
        row[0].set_title(os.path.basename(data.samples[c[k]][0]), fontsize=6)
    figure.savefig(f"{args.out}/test_samples.png")
    config = {"input_size": [H, W], "input_channels": 1, "encoder_stages": 2, "decoder_stages": 2,
              "encoder_channels": [8, 16], "decoder_channels": [16, 8], "bottleneck_channels": 32,
              "conv_block": "(conv3x3-batchnorm-relu)x2", "normalization": "batch", "upsampling": "pixel shuffle",
              "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "none",
              "trainable_parameters": size, "dropout": 0, "loss": "BCE + Jaccard", "optimizer": "Adagrad",
              "learning_rate": 0.02, "weight_decay": 0, "scheduler": "none", "batch_size": 5, "epochs": args.epochs,
              "threshold": 0.5, "seed": 21, "training_samples": len(a), "validation_samples": len(b),
              "test_samples": len(c)}
    with open(f"{args.out}/config.json", "w") as f:
        json.dump(config, f)


if __name__ == "__main__":
    main()
