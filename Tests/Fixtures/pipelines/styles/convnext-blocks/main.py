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
import torchinfo
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset

from dataset import UltrasoundDataset
from model import UNet
from train import ComboLoss, fit, predict

config = {
    "input_size": [48, 48], "input_channels": 1, "encoder_stages": 2, "decoder_stages": 2, "encoder_channels": [8, 16],
    "decoder_channels": [16, 8], "bottleneck_channels": 24, "conv_block": "ConvNeXt: depthwise conv7x7-layernorm-mlp",
    "normalization": "layer", "upsampling": "transposed", "skip": "concatenation", "final_layer": "conv1x1",
    "output_activation": "none", "dropout": 0, "loss": "MSE + Dice", "optimizer": "AdamW", "learning_rate": 4e-3,
    "weight_decay": 0.05, "scheduler": "OneCycleLR", "batch_size": 4, "threshold": 0.5, "seed": 1000,
}


def main(args):
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(config["seed"])
    np.random.seed(config["seed"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = UltrasoundDataset(args.data, config["input_size"][0])
    train_i, rest = train_test_split(range(len(data)), test_size=0.2, random_state=config["seed"])
    val_i, test_i = train_test_split(rest, test_size=0.5, random_state=config["seed"])
    config.update(training_samples=len(train_i), validation_samples=len(val_i), test_samples=len(test_i))
    print({k: v for k, v in config.items() if k.endswith("samples")})
    batch = config["batch_size"]
    train_loader = DataLoader(Subset(data, train_i), batch, shuffle=True)
    val_loader = DataLoader(Subset(data, val_i), batch)
    test_loader = DataLoader(Subset(data, test_i), batch)
    model = UNet().to(device)
    torchinfo.summary(model, input_size=(batch, 1, 48, 48), device=device)
    config.update(epochs=args.epochs, trainable_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad))
    print("trainable parameters:", config["trainable_parameters"])
    begin = time.time()
    train_losses, val_losses, val_dices = fit(
        model, train_loader, val_loader, args.epochs, config["learning_rate"], device)
    print("training time:", time.time() - begin, "s")
    _, test_dices = predict(model, test_loader, ComboLoss(), device, "test")

    def path(name):
        return os.path.join(args.out, name)

    steps = list(range(1, args.epochs + 1))
    pd.DataFrame([steps, train_losses]).to_excel(path("train_losses.xlsx"), header=False, index=False)
    pd.DataFrame([steps, val_losses]).to_excel(path("val_losses.xlsx"), header=False, index=False)
    pd.DataFrame(val_dices).to_excel(path("validation_dice_scores.xlsx"), header=False, index=False)
    pd.DataFrame([test_dices]).to_excel(path("test_dice_scores.xlsx"), header=False, index=False)
    torch.save(model, path("unet_model.pth"))
    torch.save(model.state_dict(), path("unet_state_dict.pth"))
    plt.figure()
    plt.plot(steps, train_losses, label="training")
    plt.plot(steps, val_losses, label="validation")
    plt.legend()
    plt.savefig(path("loss_curve.png"))
    picks = np.random.choice(test_i, min(5, len(test_i)), replace=False)
    fig, axes = plt.subplots(len(picks), 3, squeeze=False)
    for row, i in zip(axes, picks):
        image, mask = data[i]
        with torch.no_grad():
            probability = torch.sigmoid(model(image[None].to(device)))[0, 0].cpu()
        row[0].imshow(image[0], cmap="gray")
        row[1].imshow(mask[0], cmap="gray")
        row[2].imshow(probability > config["threshold"], cmap="gray")
        row[0].set_title(os.path.basename(data.images[i]), fontsize=6)
    fig.savefig(path("test_samples.png"))
    with open(path("config.json"), "w") as f:
        json.dump(config, f)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", type=int, default=12)
    main(parser.parse_args())
