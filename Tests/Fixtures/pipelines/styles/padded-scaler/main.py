# main.py
import argparse
import json
import logging
import os
import random
import time

import matplotlib
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import ImageMaskDataset
from model import UNet
from train import THRESHOLD, evaluate, train_one_epoch

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HEIGHT, WIDTH, BATCH, RATE, SEED = 45, 51, 7, 1e-3, 2024


def get_args():
    parser = argparse.ArgumentParser(description="Train the U-Net on images and masks")
    parser.add_argument("--data", default="/data", metavar="DIR")
    parser.add_argument("--out", default="/out", metavar="DIR")
    parser.add_argument("--epochs", "-e", metavar="E", type=int, default=12)
    return parser.parse_args()


def export(folder, train_losses, val_losses, val_dice, test_dice):
    index = np.arange(1, len(train_losses) + 1)
    for name, losses in (("train_losses", train_losses), ("val_losses", val_losses)):
        pd.DataFrame(np.vstack([index, losses])).to_excel(f"{folder}/{name}.xlsx", header=False, index=False)
    pd.DataFrame(np.array(val_dice)).to_excel(f"{folder}/validation_dice_scores.xlsx", header=False, index=False)
    pd.DataFrame(np.array([test_dice])).to_excel(f"{folder}/test_dice_scores.xlsx", header=False, index=False)


def figures(folder, model, dataset, test_ids, train_losses, val_losses, device):
    plt.figure(figsize=(6, 4))
    plt.plot(train_losses, "b-", label="Training loss")
    plt.plot(val_losses, "r-", label="Validation loss")
    plt.legend()
    plt.savefig(f"{folder}/loss_curve.png", dpi=80)
    plt.close()
    ids = random.sample(list(test_ids), min(5, len(test_ids)))
    figure, grid = plt.subplots(len(ids), 3, figsize=(6, 2 * len(ids)), squeeze=False)
    for axes, i in zip(grid, ids):
        image, mask = dataset[i]
        with torch.inference_mode():
            probability = torch.sigmoid(model(image[None].to(device)))[0, 0].cpu()
        axes[0].imshow(image[0], cmap="gray")
        axes[0].set_title(dataset.names[i])
        axes[1].imshow(mask[0], cmap="gray")
        axes[2].imshow(probability > THRESHOLD, cmap="gray")
    figure.savefig(f"{folder}/test_samples.png", dpi=80)
    plt.close(figure)


if __name__ == "__main__":
    args = get_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    os.makedirs(args.out, exist_ok=True)
    random.seed(SEED)
    np.random.seed(SEED)
    torch.manual_seed(SEED)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    amp = device.type == "cuda"

    dataset = ImageMaskDataset(os.path.join(args.data, "images"), os.path.join(args.data, "masks"), (HEIGHT, WIDTH))
    train_ids, held = train_test_split(list(range(len(dataset))), test_size=0.2, random_state=SEED)
    val_ids, test_ids = train_test_split(held, test_size=0.5, random_state=SEED)
    logging.info("train %d, validation %d, test %d", len(train_ids), len(val_ids), len(test_ids))
    shared = dict(batch_size=BATCH, num_workers=0, pin_memory=amp)
    train_loader = DataLoader(Subset(dataset, train_ids), shuffle=True, drop_last=True, **shared)
    val_loader = DataLoader(Subset(dataset, val_ids), shuffle=False, **shared)
    test_loader = DataLoader(Subset(dataset, test_ids), shuffle=False, **shared)

    model = UNet().to(device)
    summary(model, input_size=(1, 1, HEIGHT, WIDTH))
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    logging.info("%d trainable parameters", parameters)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, weight_decay=1e-5)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=3)
    scaler = torch.amp.GradScaler(device.type, enabled=amp)

    train_losses, val_losses, val_dice = [], [], []
    began = time.time()
    for epoch in range(1, args.epochs + 1):
        train_losses.append(train_one_epoch(model, train_loader, optimizer, scaler, device, amp, epoch, args.epochs))
        val_loss, dice = evaluate(model, val_loader, device, amp, "validation", epoch)
        scheduler.step(float(np.mean(dice)))
        val_losses.append(val_loss)
        val_dice.append(dice)
        logging.info("epoch %d: loss %.4f, validation Dice %.4f", epoch, train_losses[-1], np.mean(dice))
    logging.info("training took %.1f s", time.time() - began)
    _, test_dice = evaluate(model, test_loader, device, amp, "test", args.epochs)

    export(args.out, train_losses, val_losses, val_dice, test_dice)
    torch.save(model, f"{args.out}/unet_model.pth")
    torch.save(model.state_dict(), f"{args.out}/unet_state_dict.pth")
    figures(args.out, model, dataset, test_ids, train_losses, val_losses, device)
    with open(f"{args.out}/config.json", "w") as f:
        json.dump({
            "input_size": [HEIGHT, WIDTH], "input_channels": 1, "encoder_stages": 3, "decoder_stages": 3,
            "encoder_channels": [6, 12, 24], "decoder_channels": [12, 6, 6], "bottleneck_channels": 24,
            "conv_block": "(conv3x3-batchnorm-relu)x2", "normalization": "batch", "upsampling": "nearest",
            "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "none",
            "trainable_parameters": parameters, "dropout": 0.1, "loss": "BCE with logits", "optimizer": "Adam",
            "learning_rate": RATE, "weight_decay": 1e-5, "scheduler": "ReduceLROnPlateau", "batch_size": BATCH,
            "epochs": args.epochs, "threshold": THRESHOLD, "seed": SEED, "training_samples": len(train_ids),
            "validation_samples": len(val_ids), "test_samples": len(test_ids)}, f)
