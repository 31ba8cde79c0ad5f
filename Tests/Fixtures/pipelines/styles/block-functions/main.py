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
import torch.nn as nn
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import PairDataset
from model import UNet
from train import evaluate, train_epoch


def write_losses(path, values):
    pd.DataFrame([list(range(1, len(values) + 1)), values]).to_excel(path, header=False, index=False)


def plot_losses(path, train_losses, val_losses):
    plt.figure()
    plt.plot(range(1, len(train_losses) + 1), train_losses, label="training")
    plt.plot(range(1, len(val_losses) + 1), val_losses, label="validation")
    plt.xlabel("epoch")
    plt.legend()
    plt.savefig(path)
    plt.close()


def plot_samples(path, model, subset, device):
    chosen = random.sample(range(len(subset)), min(5, len(subset)))
    figure, axes = plt.subplots(len(chosen), 3, squeeze=False)
    model.eval()
    for row, index in zip(axes, chosen):
        image, mask, name = subset[index]
        with torch.no_grad():
            predicted = model(image.unsqueeze(0).to(device)).cpu()[0, 0] > 0.5
        for axis, picture in zip(row, (image[0], mask[0], predicted)):
            axis.imshow(picture, cmap="gray")
            axis.set_title(name, fontsize=6)
            axis.axis("off")
    figure.savefig(path)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    random.seed(42)
    torch.manual_seed(42)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    dataset = PairDataset(args.data)
    train_idx, rest = train_test_split(range(len(dataset)), test_size=0.2, random_state=42)
    val_idx, test_idx = train_test_split(rest, test_size=0.5, random_state=42)
    train_set, val_set, test_set = (Subset(dataset, i) for i in (train_idx, val_idx, test_idx))
    print(f"Training: {len(train_set)}, validation: {len(val_set)}, test: {len(test_set)}")
    train_loader = DataLoader(train_set, batch_size=8, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=8, shuffle=False)
    test_loader = DataLoader(test_set, batch_size=8, shuffle=False)

    model = UNet().to(device)
    summary(model, input_size=(1, 1, 48, 48), device=device)
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(f"Trainable parameters: {parameters}")
    criterion = nn.BCELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    start = time.time()
    train_losses, val_losses, val_dice = [], [], []
    for epoch in range(1, args.epochs + 1):
        train_losses.append(train_epoch(model, train_loader, criterion, optimizer, device, epoch))
        loss, dice = evaluate(model, val_loader, criterion, device, "validation", epoch)
        val_losses.append(loss)
        val_dice.append(dice)
    print(f"Training time: {time.time() - start:.1f} s")
    _, test_dice = evaluate(model, test_loader, criterion, device, "test", args.epochs)

    write_losses(os.path.join(args.out, "train_losses.xlsx"), train_losses)
    write_losses(os.path.join(args.out, "val_losses.xlsx"), val_losses)
    pd.DataFrame(val_dice).to_excel(os.path.join(args.out, "validation_dice_scores.xlsx"), header=False, index=False)
    pd.DataFrame([test_dice]).to_excel(os.path.join(args.out, "test_dice_scores.xlsx"), header=False, index=False)
    torch.save(model, os.path.join(args.out, "unet_model.pth"))
    torch.save(model.state_dict(), os.path.join(args.out, "unet_state_dict.pth"))
    plot_losses(os.path.join(args.out, "loss_curve.png"), train_losses, val_losses)
    plot_samples(os.path.join(args.out, "test_samples.png"), model, test_set, device)
    config = {
        "input_size": [48, 48], "input_channels": 1, "encoder_stages": 3, "decoder_stages": 3,
        "encoder_channels": [6, 12, 24], "decoder_channels": [24, 12, 6], "bottleneck_channels": 48,
        "conv_block": "(conv3x3-batchnorm-relu)x2", "normalization": "batch", "upsampling": "transposed",
        "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "sigmoid",
        "trainable_parameters": parameters, "dropout": 0, "loss": "BCELoss", "optimizer": "Adam",
        "learning_rate": 1e-3, "weight_decay": 0, "scheduler": "none", "batch_size": 8, "epochs": args.epochs,
        "threshold": 0.5, "seed": 42, "training_samples": len(train_set), "validation_samples": len(val_set),
        "test_samples": len(test_set),
    }
    with open(os.path.join(args.out, "config.json"), "w") as file:
        json.dump(config, file, indent=2)


if __name__ == "__main__":
    main()
