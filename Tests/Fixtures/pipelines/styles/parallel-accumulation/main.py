# main.py
import argparse
import json
import math
import os
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

from dataset import DualFolderDataset, collate
from model import UNet
from train import evaluate, train_one_epoch

SIZE, BATCH, ACCUMULATE, WARMUP, LR, SEED = 40, 3, 2, 4, 2e-3, 77


def warm_cosine(total):
    def factor(step):
        if step < WARMUP:
            return (step + 1) / WARMUP
        progress = min(1.0, (step - WARMUP) / max(1, total - WARMUP))
        return 0.5 * (1 + math.cos(math.pi * progress))

    return factor


if __name__ == "__main__":
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", default="/data", help="data folder")
    parser.add_argument("--out", default="/out", help="output folder")
    parser.add_argument("--epochs", default=15, type=int, help="epochs")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    dataset = DualFolderDataset(os.path.join(args.data, "images"), os.path.join(args.data, "masks"), SIZE)
    indices = list(range(len(dataset)))
    train_idx, hold_idx = train_test_split(indices, test_size=0.2, random_state=SEED)
    val_idx, test_idx = train_test_split(hold_idx, test_size=0.5, random_state=SEED)
    print(f"{len(train_idx)}/{len(val_idx)}/{len(test_idx)}")
    options = dict(batch_size=BATCH, collate_fn=collate)
    train_loader = DataLoader(Subset(dataset, train_idx), shuffle=True, **options)
    val_loader = DataLoader(Subset(dataset, val_idx), **options)
    test_loader = DataLoader(Subset(dataset, test_idx), **options)

    model = UNet().to(device)
    summary(model, input_size=(1, 3, SIZE, SIZE))
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("trainable parameters:", trainable)
    model = torch.nn.DataParallel(model)
    criterion = torch.nn.BCEWithLogitsLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.05)
    updates = args.epochs * math.ceil(len(train_loader) / ACCUMULATE)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_cosine(updates))

    tl, vl, vd = [], [], []
    start = time.time()
    for epoch in range(args.epochs):
        tl.append(train_one_epoch(model, train_loader, optimizer, scheduler, criterion, device, ACCUMULATE, epoch + 1))
        loss, dice = evaluate(model, val_loader, criterion, device, f"validation {epoch + 1}")
        vl.append(loss)
        vd.append(dice)
    print("training time", time.time() - start, "s")
    _, td = evaluate(model, test_loader, criterion, device, "test")

    numbers = np.arange(1, args.epochs + 1)
    for name, table in zip(("train_losses", "val_losses", "validation_dice_scores", "test_dice_scores"),
                           ([numbers, tl], [numbers, vl], vd, [td])):
        pd.DataFrame(table).to_excel(os.path.join(args.out, f"{name}.xlsx"), header=False, index=False)
    plain = model.module
    torch.save(plain, os.path.join(args.out, "unet_model.pth"))
    torch.save(plain.state_dict(), os.path.join(args.out, "unet_state_dict.pth"))
    plt.plot(numbers, tl, label="training")
    plt.plot(numbers, vl, label="validation")
    plt.legend()
    plt.savefig(os.path.join(args.out, "loss_curve.png"))
    picked = np.random.choice(test_idx, min(5, len(test_idx)), replace=False)
    fig, axes = plt.subplots(len(picked), 3, squeeze=False)
    for r, i in enumerate(picked):
        image, mask = dataset[i]
        with torch.no_grad():
            p = torch.sigmoid(plain(image[None].to(device)))[0, 0].cpu() > 0.5
        axes[r][0].imshow((image.permute(1, 2, 0) * dataset.std + dataset.mean).clip(0, 1))
        axes[r][1].imshow(mask[0], cmap="gray")
        axes[r][2].imshow(p, cmap="gray")
        axes[r][0].set_title(dataset.names[i])
    fig.savefig(os.path.join(args.out, "test_samples.png"))
    with open(os.path.join(args.out, "config.json"), "w") as f:
        json.dump({
            "input_size": [SIZE, SIZE], "input_channels": 3, "encoder_stages": 2, "decoder_stages": 2,
            "encoder_channels": [8, 16], "decoder_channels": [16, 8], "bottleneck_channels": 16,
            "conv_block": "(groupnorm-hardswish-conv3x3)x2", "normalization": "group", "upsampling": "transposed",
            "skip": "concatenation", "final_layer": "conv3x3", "output_activation": "none",
            "trainable_parameters": trainable, "dropout": 0, "loss": "BCEWithLogits", "optimizer": "AdamW",
            "learning_rate": LR, "weight_decay": 0.05, "scheduler": "LambdaLR", "batch_size": BATCH,
            "epochs": args.epochs, "threshold": 0.5, "seed": SEED, "training_samples": len(train_idx),
            "validation_samples": len(val_idx), "test_samples": len(test_idx)}, f)
