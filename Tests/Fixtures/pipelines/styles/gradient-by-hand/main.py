# main.py
import argparse, json, os, time

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import ResizedOnce
from model import UNet
from train import test_model, train_model

parser = argparse.ArgumentParser()
parser.add_argument("--data", default="/data")
parser.add_argument("--out", default="/out")
parser.add_argument("--epochs", type=int, default=5)


def main(data, out, epochs):
    os.makedirs(out, exist_ok=True)
    torch.manual_seed(61)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    items = ResizedOnce(data)
    train_ids, rest = train_test_split(range(len(items)), test_size=0.2, random_state=61)
    val_ids, test_ids = train_test_split(rest, test_size=0.5, random_state=61)
    sizes = [len(train_ids), len(val_ids), len(test_ids)]
    print(*sizes)
    a = DataLoader(Subset(items, train_ids), batch_size=8, shuffle=True)
    b = DataLoader(Subset(items, val_ids), batch_size=8)
    c = DataLoader(Subset(items, test_ids), batch_size=8)
    model = UNet().to(device)
    summary(model, (1, 1, 32, 32))
    weights = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(weights)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    log = {"train_losses": [], "val_losses": [], "validation_dice_scores": []}
    t = time.time()
    for epoch in range(1, epochs + 1):
        log["train_losses"].append(train_model(model, a, optimizer, device, epoch))
        loss, dice = test_model(model, b, device, f"validation {epoch}")
        log["val_losses"].append(loss)
        log["validation_dice_scores"].append(dice)
    print("seconds", time.time() - t)
    log["test_dice_scores"] = [test_model(model, c, device, "test")[1]]
    for name, rows in log.items():
        rows = [range(1, epochs + 1), rows] if name.endswith("losses") else rows
        pd.DataFrame([list(r) for r in rows]).to_excel(os.path.join(out, name + ".xlsx"), header=False, index=False)
    torch.save(model, os.path.join(out, "unet_model.pth"))
    torch.save(model.state_dict(), os.path.join(out, "unet_state_dict.pth"))
    for name in ("train_losses", "val_losses"):
        plt.plot(log[name], label=name)
    plt.legend()
    plt.savefig(os.path.join(out, "loss_curve.png"))
    shown = test_ids[:5]
    figure, axes = plt.subplots(len(shown), 3, squeeze=False)
    for row, i in zip(axes, shown):
        x, y = items[i]
        with torch.no_grad():
            z = model(x[None].to(device))[0].cpu() > 0
        for axis, what in zip(row, (x, y, z)):
            axis.imshow(what[0], cmap="gray")
        row[0].set_title(items.names[i])
    figure.savefig(os.path.join(out, "test_samples.png"))
    with open(os.path.join(out, "config.json"), "w") as f:
        json.dump(dict(
            input_size=[32, 32], input_channels=1, encoder_stages=1, decoder_stages=1, encoder_channels=[8],
            decoder_channels=[8], bottleneck_channels=12, conv_block="conv3x3-batchnorm-sign", normalization="batch",
            upsampling="transposed", skip="concatenation", final_layer="conv1x1", output_activation="none",
            trainable_parameters=weights, dropout=0, loss="BCE with logits", optimizer="Adam", learning_rate=1e-3,
            weight_decay=0, scheduler="none", batch_size=8, epochs=epochs, threshold=0.5, seed=61,
            training_samples=sizes[0], validation_samples=sizes[1], test_samples=sizes[2]), f)


if __name__ == "__main__":
    main(**vars(parser.parse_args()))
