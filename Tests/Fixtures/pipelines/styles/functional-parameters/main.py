# main.py
import argparse
import json
import os
import time

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch
from openpyxl import Workbook
from torch.utils.data import DataLoader
from torchinfo import summary

from dataset import Pictures, halves
from model import UNet
from train import test, train


def excel(path, rows):
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(list(row))
    book.save(path)


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--data", default="/data")
    cli.add_argument("--out", default="/out")
    cli.add_argument("--epochs", type=int, default=17)
    cli = cli.parse_args()
    os.makedirs(cli.out, exist_ok=True)
    out = lambda name: os.path.join(cli.out, name)
    torch.manual_seed(40)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = Pictures(cli.data, 40, 44)
    parts = halves(data, 40)
    print("parts:", *[len(p) for p in parts])
    loaders = [DataLoader(p, batch_size=5, shuffle=k == 0) for k, p in enumerate(parts)]
    model = UNet().to(device)
    summary(model, (1, 1, 40, 44))
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(count)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, momentum=0.5, centered=True)
    a, b, dice = [], [], []
    clock = time.time()
    for epoch in range(1, cli.epochs + 1):
        a.append(train(model, loaders[0], optimizer, device, epoch))
        loss, scores = test(model, loaders[1], device, f"validation {epoch}")
        b.append(loss)
        dice.append(scores)
    print("time", time.time() - clock)
    _, final = test(model, loaders[2], device, "test")
    numbers = range(1, cli.epochs + 1)
    excel(out("train_losses.xlsx"), [numbers, a])
    excel(out("val_losses.xlsx"), [numbers, b])
    excel(out("validation_dice_scores.xlsx"), dice)
    excel(out("test_dice_scores.xlsx"), [final])
    torch.save(model, out("unet_model.pth"))
    torch.save(model.state_dict(), out("unet_state_dict.pth"))
    figure, axis = plt.subplots()
    axis.plot(numbers, a, label="training")
    axis.plot(numbers, b, label="validation")
    axis.legend()
    figure.savefig(out("loss_curve.png"))
    shown = torch.randperm(len(parts[2]))[:5].tolist()
    figure, grid = plt.subplots(len(shown), 3, squeeze=False)
    for line, k in zip(grid, shown):
        x, y = parts[2][k]
        with torch.no_grad():
            z = torch.sigmoid(model(x[None].to(device)))[0].cpu() > 0.5
        for axis, what in zip(line, (x, y, z)):
            axis.imshow(what[0], cmap="gray")
        line[0].set_title(data.names[parts[2].indices[k]])
    figure.savefig(out("test_samples.png"))
    with open(out("config.json"), "w") as f:
        json.dump({
            "input_size": [40, 44], "input_channels": 1, "encoder_stages": 2, "decoder_stages": 2,
            "encoder_channels": [8, 16], "decoder_channels": [16, 8], "bottleneck_channels": 24,
            "conv_block": "(standardised conv3x3-groupnorm-tanh)x1", "normalization": "group",
            "upsampling": "nearest", "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "none",
            "trainable_parameters": count, "dropout": 0, "loss": "balanced logistic", "optimizer": "RMSprop",
            "learning_rate": 1e-3, "weight_decay": 0, "scheduler": "none", "batch_size": 5, "epochs": cli.epochs,
            "threshold": 0.5, "seed": 40, "training_samples": len(parts[0]), "validation_samples": len(parts[1]),
            "test_samples": len(parts[2])}, f)
