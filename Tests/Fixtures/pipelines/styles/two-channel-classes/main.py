# main.py
import argparse
import json
import os
import time
from contextlib import contextmanager

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import ClassMapDataset
from model import UNet
from train import evaluation_pass, training_pass

SIZE, BATCH, LR, RANDOM_STATE, WEIGHTS = 36, 6, 3e-3, 17, [0.3, 0.7]


@contextmanager
def timed(what):
    start = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - start:.1f} s")


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", type=int, default=22)
    return parser.parse_args()


def main():
    opt = parse()
    os.makedirs(opt.out, exist_ok=True)
    torch.manual_seed(RANDOM_STATE)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = ClassMapDataset(opt.data, SIZE)
    train_ix, rest_ix = train_test_split(np.arange(len(data)), test_size=0.2, random_state=RANDOM_STATE)
    val_ix, test_ix = train_test_split(rest_ix, test_size=0.5, random_state=RANDOM_STATE)
    print(f"train={len(train_ix)} val={len(val_ix)} test={len(test_ix)}")
    make = lambda ix, shuffle: DataLoader(Subset(data, ix), batch_size=BATCH, shuffle=shuffle)
    train_loader, val_loader, test_loader = make(train_ix, True), make(val_ix, False), make(test_ix, False)
    model = UNet().to(device)
    summary(model, input_size=(1, 1, SIZE, SIZE))
    n = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(f"{n:,} trainable parameters")
    optimizer = torch.optim.RAdam(model.parameters(), lr=LR)
    weights = torch.tensor(WEIGHTS, device=device)
    table = pd.DataFrame(columns=["epoch", "train", "val"])
    val_dice = []
    with timed("training"):
        for epoch in range(1, opt.epochs + 1):
            a = training_pass(model, train_loader, optimizer, weights, device, f"training {epoch}")
            b, dice = evaluation_pass(model, val_loader, weights, device, f"validation {epoch}")
            table.loc[len(table)] = [epoch, a, b]
            val_dice.append(dice)
    _, test_dice = evaluation_pass(model, test_loader, weights, device, "test")
    for column, name in (("train", "train_losses"), ("val", "val_losses")):
        table[["epoch", column]].T.to_excel(os.path.join(opt.out, f"{name}.xlsx"), header=False, index=False)
    pd.DataFrame(val_dice).to_excel(os.path.join(opt.out, "validation_dice_scores.xlsx"), header=False, index=False)
    pd.DataFrame([test_dice]).to_excel(os.path.join(opt.out, "test_dice_scores.xlsx"), header=False, index=False)
    torch.save(model, os.path.join(opt.out, "unet_model.pth"))
    torch.save(model.state_dict(), os.path.join(opt.out, "unet_state_dict.pth"))
    table.plot(x="epoch", y=["train", "val"]).get_figure().savefig(os.path.join(opt.out, "loss_curve.png"))
    chosen = np.random.default_rng(RANDOM_STATE).choice(test_ix, min(5, len(test_ix)), replace=False)
    fig, ax = plt.subplots(len(chosen), 3, squeeze=False)
    for r, i in enumerate(chosen):
        image, label = data[i]
        with torch.no_grad():
            predicted = model(image[None].to(device)).argmax(1)[0].cpu()
        for c, p in enumerate((image[0], label, predicted)):
            ax[r, c].imshow(p, cmap="gray")
            ax[r, c].set(xticks=[], yticks=[])
        ax[r, 1].set_title(os.path.basename(data.image_files[i]))
    fig.savefig(os.path.join(opt.out, "test_samples.png"))
    json.dump({
        "input_size": [SIZE, SIZE], "input_channels": 1, "encoder_stages": 2, "decoder_stages": 2,
        "encoder_channels": [6, 12], "decoder_channels": [12, 6], "bottleneck_channels": 24,
        "conv_block": "(conv3x3-batchnorm-leakyrelu)x2", "normalization": "batch", "upsampling": "bilinear",
        "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "none", "trainable_parameters": n,
        "dropout": 0, "loss": "cross entropy", "optimizer": "RAdam", "learning_rate": LR, "weight_decay": 0,
        "scheduler": "none", "batch_size": BATCH, "epochs": opt.epochs, "threshold": 0.5, "seed": RANDOM_STATE,
        "training_samples": len(train_ix), "validation_samples": len(val_ix), "test_samples": len(test_ix),
    }, open(os.path.join(opt.out, "config.json"), "w"))


if __name__ == "__main__":
    main()
