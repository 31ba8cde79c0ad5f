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

import train as T
from dataset import SimpleData
from model import UNet


def main():
    ap = argparse.ArgumentParser()
    for name, value, kind in (("data", "/data", str), ("out", "/out", str), ("epochs", 5, int)):
        ap.add_argument("--" + name, default=value, type=kind)
    a = ap.parse_args()
    os.makedirs(a.out, exist_ok=True)
    torch.manual_seed(14)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = SimpleData(a.data)
    i, j = train_test_split(range(len(data)), test_size=0.2, random_state=14)
    j, k = train_test_split(j, test_size=0.5, random_state=14)
    print(len(i), len(j), len(k))
    first, second, third = (DataLoader(Subset(data, s), batch_size=7, shuffle=s is i) for s in (i, j, k))
    model = UNet().to(device)
    summary(model, (1, 1, 32, 32))
    n = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(n)
    optimizer = torch.optim.SGD(model.parameters(), lr=5e-3, momentum=0.9)
    logs = [[], [], []]
    t = time.time()
    for epoch in range(a.epochs):
        logs[0].append(T.train(model, first, optimizer, epoch, a.epochs, device))
        loss, dice = T.test(model, second, device, f"validation {epoch}")
        logs[1].append(loss)
        logs[2].append(dice)
    print(time.time() - t, "s")
    _, dice = T.test(model, third, device, "test")
    e = list(range(1, a.epochs + 1))
    files = {"train_losses": [e, logs[0]], "val_losses": [e, logs[1]], "validation_dice_scores": logs[2],
             "test_dice_scores": [dice]}
    for name in files:
        pd.DataFrame(files[name]).to_excel(os.path.join(a.out, name + ".xlsx"), header=False, index=False)
    torch.save(model, os.path.join(a.out, "unet_model.pth"))
    torch.save(model.state_dict(), os.path.join(a.out, "unet_state_dict.pth"))
    plt.plot(e, logs[0], label="training")
    plt.plot(e, logs[1], label="validation")
    plt.legend()
    plt.savefig(os.path.join(a.out, "loss_curve.png"))
    fig, ax = plt.subplots(min(5, len(k)), 3, squeeze=False)
    for row, s in zip(ax, k):
        x, y = data[s]
        with torch.no_grad():
            p = model(x[None].to(device))[0].cpu() > 0.5
        for axis, what in zip(row, (x, y, p)):
            axis.imshow(what[0], cmap="gray")
        row[0].set_title(data.names[s])
    fig.savefig(os.path.join(a.out, "test_samples.png"))
    json.dump({
        "input_size": [32, 32], "input_channels": 1, "encoder_stages": 1, "decoder_stages": 1, "encoder_channels": [8],
        "decoder_channels": [8], "bottleneck_channels": 12, "conv_block": "conv5x5-relu", "normalization": "none",
        "upsampling": "bilinear", "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "sigmoid",
        "trainable_parameters": n, "dropout": 0, "loss": "BCE", "optimizer": "SGD", "learning_rate": 5e-3,
        "weight_decay": 0, "scheduler": "cosine by hand", "batch_size": 7, "epochs": a.epochs, "threshold": 0.5,
        "seed": 14, "training_samples": len(i), "validation_samples": len(j), "test_samples": len(k)},
        open(os.path.join(a.out, "config.json"), "w"))


if __name__ == "__main__":
    main()
