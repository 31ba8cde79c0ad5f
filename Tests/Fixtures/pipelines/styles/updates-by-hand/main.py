# main.py
import argparse
import json
import pathlib
import time

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import Pairs
from model import UNet
from train import judge, learn

RATE, BATCH = 0.3, 5

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(18)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    pairs = Pairs(args.data)
    parts = [None] * 3
    parts[0], rest = train_test_split(list(range(len(pairs))), test_size=0.2, random_state=18)
    parts[1], parts[2] = train_test_split(rest, test_size=0.5, random_state=18)
    loaders = [DataLoader(Subset(pairs, p), BATCH, shuffle=n == 0) for n, p in enumerate(parts)]
    print("pairs:", [len(p) for p in parts])
    model = UNet().to(device)
    summary(model, (1, 1, 28, 36))
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("parameters:", count)
    frame, dice, begun = [], [], time.time()
    for epoch in range(1, args.epochs + 1):
        train_loss = learn(model, loaders[0], RATE, device, f"training {epoch}")
        val_loss, scores = judge(model, loaders[1], device, f"validation {epoch}")
        frame.append({"epoch": epoch, "train": train_loss, "val": val_loss})
        dice.append(scores)
    print("seconds:", time.time() - begun)
    final = judge(model, loaders[2], device, "test")[1]
    frame = pd.DataFrame(frame)
    frame[["epoch", "train"]].T.to_excel(out / "train_losses.xlsx", header=False, index=False)
    frame[["epoch", "val"]].T.to_excel(out / "val_losses.xlsx", header=False, index=False)
    pd.DataFrame(dice).to_excel(out / "validation_dice_scores.xlsx", header=False, index=False)
    pd.DataFrame([final]).to_excel(out / "test_dice_scores.xlsx", header=False, index=False)
    torch.save(model, out / "unet_model.pth")
    torch.save(model.state_dict(), out / "unet_state_dict.pth")
    frame.plot(x="epoch").figure.savefig(out / "loss_curve.png")
    figure, axes = plt.subplots(min(5, len(parts[2])), 3, squeeze=False)
    for row, i in zip(axes, parts[2]):
        x, y = pairs[i]
        with torch.no_grad():
            h = model(x[None].to(device)).sigmoid().round()[0].cpu()
        for axis, what in zip(row, (x, y, h)):
            axis.imshow(what[0], cmap="gray")
        row[0].set_title(pathlib.Path(pairs.files[i][0]).name)
    figure.savefig(out / "test_samples.png")
    keys = {"training_samples": len(parts[0]), "validation_samples": len(parts[1]), "test_samples": len(parts[2])}
    (out / "config.json").write_text(json.dumps({
        **keys, "input_size": [28, 36], "input_channels": 1, "encoder_stages": 1, "decoder_stages": 1,
        "encoder_channels": [6], "decoder_channels": [6], "bottleneck_channels": 12, "conv_block": "conv3x3-leakyrelu",
        "normalization": "none", "upsampling": "transposed", "skip": "concatenation", "final_layer": "conv3x3",
        "output_activation": "none", "trainable_parameters": count, "dropout": 0, "loss": "BCE with logits",
        "optimizer": "gradient descent", "learning_rate": RATE, "weight_decay": 0, "scheduler": "none",
        "batch_size": BATCH, "epochs": args.epochs, "threshold": 0.5, "seed": 18}))
