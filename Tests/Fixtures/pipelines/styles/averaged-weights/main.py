# main.py
import argparse
import json
import time
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import AveragedData
from model import UNet
from train import MovingAverage, test, train


def main():
    cli = argparse.ArgumentParser()
    cli.add_argument("--data", default="/data")
    cli.add_argument("--out", default="/out", type=Path)
    cli.add_argument("--epochs", default=5, type=int)
    cli = cli.parse_args()
    cli.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(33)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = AveragedData(cli.data)
    ids, rest = train_test_split(list(range(len(data))), test_size=0.2, random_state=33)
    val_ids, test_ids = train_test_split(rest, test_size=0.5, random_state=33)
    print(len(ids), len(val_ids), len(test_ids))
    training = DataLoader(Subset(data, ids), batch_size=8, shuffle=True)
    validation, testing = DataLoader(Subset(data, val_ids), batch_size=8), DataLoader(Subset(data, test_ids), batch_size=8)
    model = UNet().to(device)
    summary(model, (1, 1, 32, 32))
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(count)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    average = MovingAverage(model)
    losses, val_losses, val_dice = [], [], []
    t = time.time()
    for epoch in range(cli.epochs):
        losses.append(train(model, average, training, optimizer, device, epoch))
        loss, dice = test(average.shadow, validation, device, f"validation {epoch}")
        val_losses.append(loss)
        val_dice.append(dice)
    print("seconds", time.time() - t)
    final = average.shadow
    _, dice = test(final, testing, device, "test")
    e = list(range(1, cli.epochs + 1))
    pd.DataFrame([e, losses]).to_excel(cli.out / "train_losses.xlsx", header=False, index=False)
    pd.DataFrame([e, val_losses]).to_excel(cli.out / "val_losses.xlsx", header=False, index=False)
    pd.DataFrame(val_dice).to_excel(cli.out / "validation_dice_scores.xlsx", header=False, index=False)
    pd.DataFrame([dice]).to_excel(cli.out / "test_dice_scores.xlsx", header=False, index=False)
    torch.save(final, cli.out / "unet_model.pth")
    torch.save(final.state_dict(), cli.out / "unet_state_dict.pth")
    plt.plot(e, losses, label="training")
    plt.plot(e, val_losses, label="validation")
    plt.legend()
    plt.savefig(cli.out / "loss_curve.png")
    figure, axes = plt.subplots(min(5, len(test_ids)), 3, squeeze=False)
    for row, i in zip(axes, test_ids):
        x, y = data[i]
        with torch.no_grad():
            p = final(x[None].to(device))[0].cpu() > 0
        for axis, what in zip(row, (x, y, p)):
            axis.imshow(what[0], cmap="gray")
        row[0].set_title(data.paths[i].name)
    figure.savefig(cli.out / "test_samples.png")
    stated = {
        "input_size": [32, 32], "input_channels": 1, "encoder_stages": 1, "decoder_stages": 1, "encoder_channels": [6],
        "decoder_channels": [6], "bottleneck_channels": 12, "conv_block": "conv3x3-groupnorm-relu",
        "normalization": "group", "upsampling": "nearest", "skip": "concatenation", "final_layer": "conv1x1",
        "output_activation": "none", "trainable_parameters": count, "dropout": 0, "loss": "BCE with logits",
        "optimizer": "Adam", "learning_rate": 3e-3, "weight_decay": 0, "scheduler": "none", "batch_size": 8,
        "epochs": cli.epochs, "threshold": 0.5, "seed": 33, "training_samples": len(ids),
        "validation_samples": len(val_ids), "test_samples": len(test_ids)}
    (cli.out / "config.json").write_text(json.dumps(stated))


if __name__ == "__main__":
    main()
