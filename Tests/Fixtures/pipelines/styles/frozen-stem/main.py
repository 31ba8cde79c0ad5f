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
from sklearn.model_selection import ShuffleSplit
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import EdgeDataset
from model import UNet
from train import evaluate, train


def split(n, seed):
    train_ids, rest = next(ShuffleSplit(1, test_size=0.2, random_state=seed).split(range(n)))
    half = (len(rest) + 1) // 2
    return train_ids.tolist(), rest[:half].tolist(), rest[half:].tolist()


def run(args):
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(90)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = EdgeDataset(args.data)
    parts = split(len(data), 90)
    print("Number of samples:", *map(len, parts))
    loaders = [DataLoader(Subset(data, p), batch_size=6, shuffle=(i == 0), num_workers=0, pin_memory=False)
               for i, p in enumerate(parts)]
    model = UNet().to(device)
    summary(model, (1, 3, 32, 32))
    trainable = [p for p in model.parameters() if p.requires_grad]
    count = sum(p.numel() for p in trainable)
    print("Trainable parameters:", count)
    optimizer = torch.optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=2e-3, weight_decay=1e-4)
    curves, start = [], time.time()
    best = float("inf")
    for epoch in range(1, args.epochs + 1):
        a = train(model, loaders[0], optimizer, device, epoch)
        b, dice = evaluate(model, loaders[1], device, f"validation, epoch {epoch}")
        curves.append((epoch, a, b, dice))
        if b < best:
            best = b
            torch.save({"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict()},
                       os.path.join(args.out, "checkpoint.tar"))
    print("Total training time:", time.time() - start, "s")
    checkpoint = torch.load(os.path.join(args.out, "checkpoint.tar"), map_location=device, weights_only=False)
    model.load_state_dict(checkpoint["model"])
    print("best epoch", checkpoint["epoch"])
    _, test_dice = evaluate(model, loaders[2], device, "test")
    table = pd.DataFrame([c[:3] for c in curves], columns=["epoch", "train", "val"])
    table[["epoch", "train"]].T.to_excel(os.path.join(args.out, "train_losses.xlsx"), header=False, index=False)
    table[["epoch", "val"]].T.to_excel(os.path.join(args.out, "val_losses.xlsx"), header=False, index=False)
    pd.DataFrame([c[3] for c in curves]).to_excel(
        os.path.join(args.out, "validation_dice_scores.xlsx"), header=False, index=False)
    pd.DataFrame([test_dice]).to_excel(os.path.join(args.out, "test_dice_scores.xlsx"), header=False, index=False)
    torch.save(model, os.path.join(args.out, "unet_model.pth"))
    torch.save(model.state_dict(), os.path.join(args.out, "unet_state_dict.pth"))
    table.set_index("epoch").plot().figure.savefig(os.path.join(args.out, "loss_curve.png"))
    chosen = torch.randperm(len(parts[2]))[:5].tolist()
    fig, axes = plt.subplots(len(chosen), 3, squeeze=False)
    for row, k in zip(axes, chosen):
        item = data[parts[2][k]]
        with torch.no_grad():
            p = model(item["inputs"]["image"][None].to(device))["logits"].sigmoid()[0, 0].cpu() >= 0.5
        for axis, what in zip(row, (item["inputs"]["image"][0], item["target"][0], p)):
            axis.imshow(what, cmap="gray")
        row[0].set_title(item["id"])
    fig.savefig(os.path.join(args.out, "test_samples.png"))
    with open(os.path.join(args.out, "config.json"), "w") as f:
        json.dump({
            "input_size": [32, 32], "input_channels": 3, "encoder_stages": 2, "decoder_stages": 2,
            "encoder_channels": [8, 16], "decoder_channels": [16, 8], "bottleneck_channels": 32,
            "conv_block": "(conv3x3-batchnorm-softplus)x2", "normalization": "batch", "upsampling": "bilinear",
            "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "none",
            "trainable_parameters": count, "dropout": 0.1, "loss": "BCE + smooth L1", "optimizer": "Adam",
            "learning_rate": 2e-3, "weight_decay": 1e-4, "scheduler": "none", "batch_size": 6, "epochs": args.epochs,
            "threshold": 0.5, "seed": 90, "training_samples": len(parts[0]), "validation_samples": len(parts[1]),
            "test_samples": len(parts[2])}, f)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", type=int, default=11)
    run(parser.parse_args())
