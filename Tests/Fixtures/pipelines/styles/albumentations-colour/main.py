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
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import MEAN, STD, ColourDataset, get_transform
from model import UNet
from train import DiceBCELoss, evaluate, train

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=str, default="/data")
    parser.add_argument("--out", type=str, default="/out")
    parser.add_argument("--epochs", type=int, default=15)
    args = parser.parse_args()

    """ Hyperparameters """
    size, batch_size, lr, patience = 48, 4, 3e-3, 6
    torch.manual_seed(11)
    np.random.seed(11)
    os.makedirs(args.out, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    """ Data """
    dataset = ColourDataset(args.data, get_transform(size))
    train_idx, temp_idx = train_test_split(np.arange(len(dataset)), test_size=0.2, random_state=11)
    val_idx, test_idx = train_test_split(temp_idx, test_size=0.5, random_state=11)
    print(f"Sizes: {len(train_idx)} {len(val_idx)} {len(test_idx)}")
    train_loader = DataLoader(Subset(dataset, train_idx), batch_size=batch_size, shuffle=True, num_workers=2)
    val_loader = DataLoader(Subset(dataset, val_idx), batch_size=batch_size, shuffle=False, num_workers=2)
    test_loader = DataLoader(Subset(dataset, test_idx), batch_size=batch_size, shuffle=False, num_workers=2)

    """ Model """
    model = UNet().to(device)
    summary(model, input_size=(1, 3, size, size))
    n_parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("Parameters:", n_parameters)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, epochs=args.epochs, steps_per_epoch=len(train_loader))
    loss_fn = DiceBCELoss()

    """ Training """
    best_dice, waited = -1.0, 0
    train_losses, valid_losses, valid_dices = [], [], []
    start_time = time.time()
    for epoch in range(args.epochs):
        train_losses.append(train(model, train_loader, optimizer, scheduler, loss_fn, device, epoch + 1))
        valid_loss, dices = evaluate(model, val_loader, loss_fn, device, f"Validation {epoch + 1:02d}")
        valid_losses.append(valid_loss)
        valid_dices.append(dices)
        if np.mean(dices) > best_dice:
            best_dice, waited = np.mean(dices), 0
            torch.save(model.state_dict(), os.path.join(args.out, "unet_state_dict.pth"))
        else:
            waited += 1
            if waited >= patience:
                print("Early stopping")
                break
    print(f"Training took {time.time() - start_time:.1f} s")
    model.load_state_dict(torch.load(os.path.join(args.out, "unet_state_dict.pth"), map_location=device))
    torch.save(model, os.path.join(args.out, "unet_model.pth"))
    _, test_dices = evaluate(model, test_loader, loss_fn, device, "Test")

    """ Results """
    epochs_run = list(range(1, len(train_losses) + 1))
    pd.DataFrame([epochs_run, train_losses]).to_excel(os.path.join(args.out, "train_losses.xlsx"), index=False, header=False)
    pd.DataFrame([epochs_run, valid_losses]).to_excel(os.path.join(args.out, "val_losses.xlsx"), index=False, header=False)
    pd.DataFrame(valid_dices).to_excel(os.path.join(args.out, "validation_dice_scores.xlsx"), index=False, header=False)
    pd.DataFrame([test_dices]).to_excel(os.path.join(args.out, "test_dice_scores.xlsx"), index=False, header=False)
    plt.plot(epochs_run, train_losses, label="Train")
    plt.plot(epochs_run, valid_losses, label="Validation")
    plt.legend()
    plt.savefig(os.path.join(args.out, "loss_curve.png"))
    plt.close()
    rows = min(5, len(test_idx))
    fig, axes = plt.subplots(rows, 3, squeeze=False)
    model.eval()
    for r, i in enumerate(np.random.permutation(test_idx)[:rows]):
        x, y = dataset[i]
        with torch.no_grad():
            p = torch.sigmoid(model(x.unsqueeze(0).to(device))).cpu()[0, 0] >= 0.5
        picture = (x.permute(1, 2, 0).numpy() * np.array(STD) + np.array(MEAN)).clip(0, 1)
        axes[r, 0].imshow(picture)
        axes[r, 1].imshow(y[0], cmap="gray")
        axes[r, 2].imshow(p, cmap="gray")
        axes[r, 0].set_title(dataset.image_files[i])
    plt.savefig(os.path.join(args.out, "test_samples.png"))
    with open(os.path.join(args.out, "config.json"), "w") as f:
        json.dump({
            "input_size": [size, size], "input_channels": 3, "encoder_stages": 2, "decoder_stages": 2,
            "encoder_channels": [8, 12], "decoder_channels": [12, 8], "bottleneck_channels": 20,
            "conv_block": "(conv3x3-batchnorm-relu)x2", "normalization": "batch", "upsampling": "transposed",
            "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "none",
            "trainable_parameters": n_parameters, "dropout": 0.3, "loss": "BCE + Dice", "optimizer": "Adam",
            "learning_rate": lr, "weight_decay": 0, "scheduler": "OneCycleLR", "batch_size": batch_size,
            "epochs": args.epochs, "threshold": 0.5, "seed": 11, "training_samples": len(train_idx),
            "validation_samples": len(val_idx), "test_samples": len(test_idx)}, f)
