# main.py
import argparse
import json
import pathlib
import time

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import ArrayDataset, load_all
from model import UNet
import train as routines


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="/data")
    p.add_argument("--out", default="/out", type=pathlib.Path)
    p.add_argument("--epochs", default=10, type=int)
    args = p.parse_args()
    args.out.mkdir(exist_ok=True, parents=True)
    torch.manual_seed(2)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    names, images, masks = load_all(args.data, 44)
    dataset = ArrayDataset(names, images, masks)
    ids = {"training": None, "validation": None, "test": None}
    ids["training"], rest = train_test_split(range(len(names)), test_size=0.2, random_state=2)
    ids["validation"], ids["test"] = train_test_split(rest, test_size=0.5, random_state=2)
    loaders = {}
    for key, value in ids.items():
        loaders[key] = DataLoader(Subset(dataset, value), batch_size=6, shuffle=key == "training")
        print(key, len(value))
    model = UNet().to(device)
    summary(model, (2, 1, 44, 44))
    size = sum(q.numel() for q in model.parameters() if q.requires_grad)
    print("trainable:", size)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    scheduler = torch.optim.lr_scheduler.ChainedScheduler([
        torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.3, total_iters=4),
        torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.98)])
    history = []
    start = time.time()
    for epoch in range(1, args.epochs + 1):
        row = {"train": routines.train(model, loaders["training"], optimizer, scheduler, device, epoch)}
        row["val"], row["dice"] = routines.evaluate(model, loaders["validation"], device, f"validation {epoch}")
        history.append(row)
    print("seconds:", time.time() - start)
    _, test_dice = routines.evaluate(model, loaders["test"], device, "test")
    numbers = np.arange(args.epochs) + 1
    sheets = {"train_losses": np.array([numbers, [h["train"] for h in history]]),
              "val_losses": np.array([numbers, [h["val"] for h in history]]),
              "validation_dice_scores": [h["dice"] for h in history], "test_dice_scores": [test_dice]}
    for name, values in sheets.items():
        pd.DataFrame(values).to_excel(args.out / (name + ".xlsx"), header=False, index=False)
    torch.save(model, args.out / "unet_model.pth")
    torch.save(model.state_dict(), args.out / "unet_state_dict.pth")
    plt.plot(numbers, [h["train"] for h in history], label="training")
    plt.plot(numbers, [h["val"] for h in history], label="validation")
    plt.legend()
    plt.savefig(args.out / "loss_curve.png")
    plt.close()
    picked = np.random.default_rng(2).permutation(ids["test"])[:5]
    model.eval()
    with torch.no_grad():
        predicted = model(images[picked].to(device)).sigmoid().cpu() > 0.5
    figure, axes = plt.subplots(len(picked), 3, squeeze=False)
    for k, i in enumerate(picked):
        for c, what in enumerate((images[i], masks[i], predicted[k])):
            axes[k, c].imshow(what[0], cmap="gray")
        axes[k, 0].set_title(names[i])
    figure.savefig(args.out / "test_samples.png")
    (args.out / "config.json").write_text(json.dumps({
        "input_size": [44, 44], "input_channels": 1, "encoder_stages": 2, "decoder_stages": 2,
        "encoder_channels": [8, 16], "decoder_channels": [16, 8], "bottleneck_channels": 24,
        "conv_block": "(conv3x3-batchnorm-relu)x1", "normalization": "batch", "upsampling": "bicubic",
        "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "none", "trainable_parameters": size,
        "dropout": 0.15, "loss": "BCE with boundary weights", "optimizer": "SGD", "learning_rate": 0.05,
        "weight_decay": 5e-4, "scheduler": "ChainedScheduler", "batch_size": 6, "epochs": args.epochs,
        "threshold": 0.5, "seed": 2, "training_samples": len(ids["training"]),
        "validation_samples": len(ids["validation"]), "test_samples": len(ids["test"])}))


if __name__ == "__main__":
    main()
