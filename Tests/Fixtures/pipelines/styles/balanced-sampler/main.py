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
from torch.utils.data import DataLoader, WeightedRandomSampler
from torchinfo import summary

from dataset import Weighted
from model import UNet
from train import Session


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", type=int, default=5)
    return parser.parse_args()


def main():
    args = arguments()
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(27)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    everything = sorted(os.listdir(os.path.join(args.data, "images")))
    train, rest = train_test_split(everything, test_size=0.2, random_state=27)
    val, test = train_test_split(rest, test_size=0.5, random_state=27)
    train_set, val_set, test_set = (Weighted(args.data, part) for part in (train, val, test))
    print("samples:", len(train), len(val), len(test))
    sampler = WeightedRandomSampler(train_set.weights(), num_samples=len(train_set), replacement=True)
    train_loader = DataLoader(train_set, batch_size=6, sampler=sampler)
    val_loader, test_loader = DataLoader(val_set, batch_size=6), DataLoader(test_set, batch_size=6)
    model = UNet().to(device)
    summary(model, (1, 1, 32, 32))
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("trainable parameters:", count)
    session = Session(model, device)
    epochs = list(range(1, args.epochs + 1))
    train_losses, val_losses, val_dice, start = [], [], [], time.time()
    for epoch in epochs:
        train_losses.append(session.train(train_loader, f"training {epoch}"))
        loss, dice = session.evaluate(val_loader, f"validation {epoch}")
        val_losses.append(loss)
        val_dice.append(dice)
    print("training seconds:", time.time() - start)
    test_dice = session.evaluate(test_loader, "test")[1]
    sheets = [("train_losses", [epochs, train_losses]), ("val_losses", [epochs, val_losses]),
              ("validation_dice_scores", val_dice), ("test_dice_scores", [test_dice])]
    for name, sheet in sheets:
        pd.DataFrame(sheet).to_excel(os.path.join(args.out, f"{name}.xlsx"), header=False, index=False)
    torch.save(model, os.path.join(args.out, "unet_model.pth"))
    torch.save(model.state_dict(), os.path.join(args.out, "unet_state_dict.pth"))
    plt.plot(epochs, train_losses, label="training")
    plt.plot(epochs, val_losses, label="validation")
    plt.legend()
    plt.savefig(os.path.join(args.out, "loss_curve.png"))
    figure, axes = plt.subplots(min(5, len(test)), 3, squeeze=False)
    for i, row in enumerate(axes):
        x, y = test_set[i]
        with torch.no_grad():
            p = torch.sigmoid(model(x[None].to(device)))[0].cpu() > 0.5
        for axis, what in zip(row, (x, y, p)):
            axis.imshow(what[0], cmap="gray")
        row[0].set_title(test[i])
    figure.savefig(os.path.join(args.out, "test_samples.png"))
    with open(os.path.join(args.out, "config.json"), "w") as f:
        json.dump({
            "input_size": [32, 32], "input_channels": 1, "encoder_stages": 1, "decoder_stages": 1,
            "encoder_channels": [8], "decoder_channels": [8], "bottleneck_channels": 16,
            "conv_block": "conv3x3-batchnorm-silu", "normalization": "batch", "upsampling": "bilinear",
            "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "none",
            "trainable_parameters": count, "dropout": 0, "loss": "BCE with logits", "optimizer": "Adam",
            "learning_rate": 2e-3, "weight_decay": 0, "scheduler": "none", "batch_size": 6, "epochs": args.epochs,
            "threshold": 0.5, "seed": 27, "training_samples": len(train), "validation_samples": len(val),
            "test_samples": len(test)}, f)


if __name__ == "__main__":
    main()
