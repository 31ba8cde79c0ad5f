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
from torch.utils.data import DataLoader
from torchinfo import summary

from dataset import AugmentedDataset
from model import UNet
from train import one_pass

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(4)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    names = sorted(os.listdir(os.path.join(args.data, "images")))
    train_names, rest = train_test_split(names, test_size=0.2, random_state=4)
    val_names, test_names = train_test_split(rest, test_size=0.5, random_state=4)
    train_set = AugmentedDataset(args.data, train_names, True)
    val_set, test_set = (AugmentedDataset(args.data, part, False) for part in (val_names, test_names))
    print(len(train_set), len(val_set), len(test_set))
    train_loader = DataLoader(train_set, batch_size=8, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=8)
    test_loader = DataLoader(test_set, batch_size=8)
    model = UNet().to(device)
    summary(model, (1, 1, 32, 32))
    total = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("parameters:", total)
    loss_fn = torch.nn.BCEWithLogitsLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    tl, vl, vd = [], [], []
    start = time.time()
    for epoch in range(1, args.epochs + 1):
        tl.append(one_pass(model, train_loader, loss_fn, device, f"training {epoch}", optimizer)[0])
        loss, scores = one_pass(model, val_loader, loss_fn, device, f"validation {epoch}")
        vl.append(loss)
        vd.append(scores)
    print("time:", time.time() - start)
    _, td = one_pass(model, test_loader, loss_fn, device, "test")
    numbers = list(range(1, args.epochs + 1))

    def write(name, rows):
        pd.DataFrame(rows).to_excel(os.path.join(args.out, name), header=False, index=False)

    write("train_losses.xlsx", [numbers, tl])
    write("val_losses.xlsx", [numbers, vl])
    write("validation_dice_scores.xlsx", vd)
    write("test_dice_scores.xlsx", [td])
    torch.save(model, os.path.join(args.out, "unet_model.pth"))
    torch.save(model.state_dict(), os.path.join(args.out, "unet_state_dict.pth"))
    plt.plot(numbers, tl, label="training")
    plt.plot(numbers, vl, label="validation")
    plt.legend()
    plt.savefig(os.path.join(args.out, "loss_curve.png"))
    fig, axes = plt.subplots(min(5, len(test_set)), 3, squeeze=False)
    for k, row in enumerate(axes):
        x, y = test_set[k]
        with torch.no_grad():
            p = model(x[None].to(device))[0].cpu() > 0
        for axis, what in zip(row, (x, y, p)):
            axis.imshow(what[0], cmap="gray")
        row[0].set_title(test_names[k])
    fig.savefig(os.path.join(args.out, "test_samples.png"))
    config = dict(
        input_size=[32, 32], input_channels=1, encoder_stages=1, decoder_stages=1, encoder_channels=[6],
        decoder_channels=[6], bottleneck_channels=12, conv_block="conv3x3-batchnorm-relu", normalization="batch",
        upsampling="transposed", skip="concatenation", final_layer="conv1x1", output_activation="none",
        trainable_parameters=total, dropout=0, loss="BCEWithLogitsLoss", optimizer="AdamW", learning_rate=2e-3,
        weight_decay=0.01, scheduler="none", batch_size=8, epochs=args.epochs, threshold=0.5, seed=4,
        training_samples=len(train_set), validation_samples=len(val_set), test_samples=len(test_set))
    with open(os.path.join(args.out, "config.json"), "w") as f:
        json.dump(config, f)
