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
import torchinfo
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset

from dataset import CVPairs
from model import UNet
from train import Alternating, evaluate


def main(data, out, epochs):
    os.makedirs(out, exist_ok=True)
    torch.manual_seed(12)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pairs = CVPairs(data)
    a, rest = train_test_split(range(len(pairs)), test_size=0.2, random_state=12)
    b, c = train_test_split(rest, test_size=0.5, random_state=12)
    print("sizes", len(a), len(b), len(c))
    loaders = [DataLoader(Subset(pairs, part), batch_size=6, shuffle=part is a) for part in (a, b, c)]
    model = UNet().to(device)
    torchinfo.summary(model, (1, 1, 32, 40))
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("trainable:", count)
    trainer = Alternating(model, 0.05, 2e-3)
    began = time.time()
    rows = []
    for epoch in range(1, epochs + 1):
        rows.append([epoch, trainer.epoch(loaders[0], device, epoch), *evaluate(model, loaders[1], device, f"validation {epoch}")])
    print("training time:", time.time() - began)
    test = evaluate(model, loaders[2], device, "test")[1]
    e, train_losses, val_losses, dice = zip(*rows)
    for name, table in {"train_losses": [e, train_losses], "val_losses": [e, val_losses],
                        "validation_dice_scores": list(dice), "test_dice_scores": [test]}.items():
        pd.DataFrame(table).to_excel(os.path.join(out, name + ".xlsx"), index=False, header=False)
    torch.save(model, os.path.join(out, "unet_model.pth"))
    torch.save(model.state_dict(), os.path.join(out, "unet_state_dict.pth"))
    plt.plot(e, train_losses, label="training")
    plt.plot(e, val_losses, label="validation")
    plt.legend()
    plt.savefig(os.path.join(out, "loss_curve.png"))
    figure, axes = plt.subplots(min(5, len(c)), 3, squeeze=False)
    for row, i in zip(axes, c):
        x, y = pairs[i]
        with torch.no_grad():
            z = model(torch.from_numpy(x)[None].to(device))[0].cpu() > 0
        for axis, picture in zip(row, (x, y, z)):
            axis.imshow(picture[0], cmap="gray")
        row[0].set_title(os.path.basename(pairs.images[i]))
    figure.savefig(os.path.join(out, "test_samples.png"))
    with open(os.path.join(out, "config.json"), "w") as f:
        json.dump(dict(
            input_size=[32, 40], input_channels=1, encoder_stages=1, decoder_stages=1, encoder_channels=[8],
            decoder_channels=[8], bottleneck_channels=16, conv_block="conv3x3-relu", normalization="none",
            upsampling="transposed", skip="concatenation", final_layer="conv1x1", output_activation="none",
            trainable_parameters=count, dropout=0, loss="BCE with logits", optimizer="SGD and Adam in turns",
            learning_rate=2e-3, weight_decay=0, scheduler="none", batch_size=6, epochs=epochs, threshold=0.5, seed=12,
            training_samples=len(a), validation_samples=len(b), test_samples=len(c)), f)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", type=int, default=5)
    main(**vars(parser.parse_args()))
