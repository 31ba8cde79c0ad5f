import argparse
import json
import os
import random
import time

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import SegmentationDataset
from model import UNet
from train import evaluate, train_one_epoch


def save_row(path, values):
    pd.DataFrame([list(range(1, len(values) + 1)), values]).to_excel(path, header=False, index=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(7)
    random.seed(7)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    dataset = SegmentationDataset(args.data)
    train_idx, rest = train_test_split(list(range(len(dataset))), test_size=0.2, random_state=42, shuffle=True)
    val_idx, test_idx = train_test_split(rest, test_size=0.5, random_state=42)
    train_loader = DataLoader(Subset(dataset, train_idx), batch_size=8, shuffle=True)
    val_loader = DataLoader(Subset(dataset, val_idx), batch_size=8)
    test_loader = DataLoader(Subset(dataset, test_idx), batch_size=8)
    print(f"train {len(train_idx)} validation {len(val_idx)} test {len(test_idx)}")

    model = UNet().to(device)
    summary(model, input_size=(1, 1, 64, 64))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = torch.nn.BCEWithLogitsLoss()
    start, train_losses, val_losses, val_dice = time.time(), [], [], []
    for epoch in range(args.epochs):
        train_losses.append(train_one_epoch(model, train_loader, optimizer, criterion, device))
        loss, scores = evaluate(model, val_loader, criterion, device, "validation")
        val_losses.append(loss)
        val_dice.append(scores)
        print(f"epoch {epoch + 1}: {train_losses[-1]:.4f} {loss:.4f}")
    print(f"training time {time.time() - start:.1f} s")

    save_row(os.path.join(args.out, "train_losses.xlsx"), train_losses)
    save_row(os.path.join(args.out, "val_losses.xlsx"), val_losses)
    pd.DataFrame(val_dice).to_excel(os.path.join(args.out, "validation_dice_scores.xlsx"), header=False, index=False)
    torch.save(model, os.path.join(args.out, "model.pth"))
    torch.save(model.state_dict(), os.path.join(args.out, "model_state.pth"))
    _, test_dice = evaluate(model, test_loader, criterion, device, "test")
    pd.DataFrame([test_dice]).to_excel(os.path.join(args.out, "test_dice_scores.xlsx"), header=False, index=False)

    plt.plot(train_losses, label="train")
    plt.plot(val_losses, label="validation")
    plt.legend()
    plt.savefig(os.path.join(args.out, "loss_curve.png"))
    plt.close()
    figure, axes = plt.subplots(5, 3, figsize=(9, 15))
    for row, index in enumerate(random.sample(range(len(test_idx)), min(5, len(test_idx)))):
        image, mask, name = dataset[test_idx[index]]
        with torch.no_grad():
            prediction = torch.sigmoid(model(image[None].to(device)))[0, 0].cpu() > 0.5
        for column, picture in enumerate((image[0], mask[0], prediction)):
            axes[row, column].imshow(picture, cmap="gray")
            axes[row, column].set_title(name)
            axes[row, column].axis("off")
    plt.savefig(os.path.join(args.out, "predictions.png"))
    config = {"architecture": "U-Net", "features": [8, 16, 32], "loss": "BCEWithLogitsLoss", "optimizer": "Adam",
              "learning_rate": 1e-3, "batch_size": 8, "epochs": args.epochs, "image_size": 64}
    with open(os.path.join(args.out, "config.json"), "w") as file:
        json.dump(config, file)


if __name__ == "__main__":
    main()
