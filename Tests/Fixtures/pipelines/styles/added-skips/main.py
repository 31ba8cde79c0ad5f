# main.py
import argparse
import json
import os
import time

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader
from torchinfo import summary

from dataset import AddedDataset
from model import UNet
from train import HINGE, Runner, make_loss

parser = argparse.ArgumentParser()
parser.add_argument("--data", default="/data")
parser.add_argument("--out", default="/out")
parser.add_argument("--epochs", default=18, type=int)


def split(root, seed):
    n = len(os.listdir(os.path.join(root, "images")))
    train, rest = train_test_split(np.arange(n), test_size=0.2, random_state=seed)
    return (train,) + tuple(train_test_split(rest, test_size=0.5, random_state=seed))


if __name__ == "__main__":
    arguments = parser.parse_args()
    out = arguments.out
    os.makedirs(out, exist_ok=True)
    seed, shape, batch = 55, (44, 52), 6
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    sets = [AddedDataset(arguments.data, ids, shape) for ids in split(arguments.data, seed)]
    print("number of samples:", [len(s) for s in sets])
    train_loader = DataLoader(sets[0], batch, shuffle=True)
    val_loader, test_loader = DataLoader(sets[1], batch), DataLoader(sets[2], batch)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = UNet().to(device)
    summary(model, (1, 1) + shape)
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(parameters, "trainable parameters")
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999), eps=1e-7)
    scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=arguments.epochs, power=0.9)
    run = Runner(model, make_loss(HINGE), optimizer, device, scheduler)
    train_losses, val_losses, val_dice = [], [], []
    t = time.time()
    for epoch in range(1, arguments.epochs + 1):
        train_losses.append(run(train_loader, "training", epoch)[0])
        loss, dice = run(val_loader, "validation", epoch)
        val_losses.append(loss)
        val_dice.append(dice)
    print("trained in", time.time() - t, "s")
    test_dice = run(test_loader, "test")[1]
    epochs = list(range(1, arguments.epochs + 1))
    for name, rows in {"train_losses": [epochs, train_losses], "val_losses": [epochs, val_losses],
                       "validation_dice_scores": val_dice, "test_dice_scores": [test_dice]}.items():
        pd.DataFrame(rows).to_excel(os.path.join(out, name + ".xlsx"), header=False, index=False)
    torch.save(model, os.path.join(out, "unet_model.pth"))
    torch.save(model.state_dict(), os.path.join(out, "unet_state_dict.pth"))
    plt.plot(epochs, train_losses, label="training")
    plt.plot(epochs, val_losses, label="validation")
    plt.legend()
    plt.savefig(os.path.join(out, "loss_curve.png"))
    plt.close()
    ids = rng.permutation(len(sets[2]))[:5]
    figure, axes = plt.subplots(len(ids), 3, squeeze=False)
    model.eval()
    for line, i in zip(axes, ids):
        x, y = sets[2][int(i)]
        with torch.no_grad():
            z = model(x.unsqueeze(0).to(device)).cpu()[0] > 0
        for axis, what in zip(line, (x, y, z)):
            axis.imshow(what[0], cmap="gray")
        line[0].set_title(sets[2].filenames[i])
    figure.savefig(os.path.join(out, "test_samples.png"))
    with open(os.path.join(out, "config.json"), "w") as f:
        json.dump({
            "input_size": list(shape), "input_channels": 1, "encoder_stages": 2, "decoder_stages": 2,
            "encoder_channels": [8, 16], "decoder_channels": [16, 8], "bottleneck_channels": 32,
            "conv_block": "residual (conv3x3-instancenorm-leakyrelu)x2", "normalization": "instance",
            "upsampling": "transposed", "skip": "addition", "final_layer": "conv3x3", "output_activation": "none",
            "trainable_parameters": parameters, "dropout": 0, "loss": "hinge", "optimizer": "Adam",
            "learning_rate": 1e-3, "weight_decay": 0, "scheduler": "PolynomialLR", "batch_size": batch,
            "epochs": arguments.epochs, "threshold": 0.5, "seed": seed, "training_samples": len(sets[0]),
            "validation_samples": len(sets[1]), "test_samples": len(sets[2])}, f)
