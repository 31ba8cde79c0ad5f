# main.py
import argparse
import json
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
import numpy as np
import openpyxl
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
import torchinfo

from dataset import SegmentationDataset
from model import UNet
from train import Trainer

BATCH, LR, SEED, SIDE = 6, 0.05, 7, 32
WIDTHS = (4, 8, 16, 32)


def sheet(path: Path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([float(v) if isinstance(v, float) else int(v) for v in row])
    book.save(path)


def run(data: Path, out: Path, epochs: int):
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    full = SegmentationDataset(data, SIDE)
    index = np.arange(len(full))
    train_index, other = train_test_split(index, train_size=0.8, random_state=SEED)
    val_index, test_index = train_test_split(other, train_size=0.5, random_state=SEED)
    loaders = {}
    for name, part in {"train": train_index, "val": val_index, "test": test_index}.items():
        loaders[name] = DataLoader(Subset(full, part.tolist()), BATCH, shuffle=name == "train", num_workers=2,
                                   pin_memory=device == "cuda")
        print(name, len(part))
    model = UNet(1, WIDTHS).to(device)
    torchinfo.summary(model, (BATCH, 1, SIDE, SIDE), verbose=1)
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("trainable parameters:", count)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9, nesterov=True, weight_decay=1e-4)
    trainer = Trainer(model, optimizer, torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.5), device)
    begun = time.perf_counter()
    history = trainer.fit(loaders["train"], loaders["val"], epochs)
    print("total training time (s):", round(time.perf_counter() - begun, 2))
    _, test_dice = trainer.evaluate(loaders["test"], "test")

    steps = list(range(1, epochs + 1))
    sheet(out / "train_losses.xlsx", [steps, history["train"]])
    sheet(out / "val_losses.xlsx", [steps, history["val"]])
    sheet(out / "validation_dice_scores.xlsx", history["dice"])
    sheet(out / "test_dice_scores.xlsx", [test_dice])
    torch.save(model, out / "unet_model.pth")
    torch.save(model.state_dict(), out / "unet_state_dict.pth")

    fig, ax = plt.subplots()
    ax.plot(steps, history["train"], label="train")
    ax.plot(steps, history["val"], label="val")
    ax.legend()
    fig.savefig(out / "loss_curve.png")
    shown = np.random.choice(test_index, size=min(5, len(test_index)), replace=False)
    fig, ax = plt.subplots(len(shown), 3, figsize=(6, 2 * len(shown)), squeeze=False)
    for r, i in enumerate(shown):
        x, y = full[int(i)]
        with torch.no_grad():
            p = model(x[None].to(device)).sigmoid().cpu().numpy()[0, 0] >= 0.5
        for c, picture in enumerate([x[0].numpy(), y[0].numpy(), p]):
            ax[r][c].imshow(picture, cmap="gray")
            ax[r][c].set_axis_off()
        ax[r][0].set_title(full.image_paths[int(i)].name)
    fig.savefig(out / "test_samples.png")

    (out / "config.json").write_text(json.dumps(dict(
        input_size=[SIDE, SIDE], input_channels=1, encoder_stages=3, decoder_stages=3,
        encoder_channels=list(WIDTHS[:-1]), decoder_channels=list(WIDTHS[-2::-1]), bottleneck_channels=WIDTHS[-1],
        conv_block="(conv3x3-batchnorm-elu)x2", normalization="batch", upsampling="bilinear", skip="concatenation",
        final_layer="conv1x1", output_activation="none", trainable_parameters=count, dropout=0,
        loss="BCEWithLogitsLoss", optimizer="SGD", learning_rate=LR, weight_decay=1e-4, scheduler="StepLR",
        batch_size=BATCH, epochs=epochs, threshold=0.5, seed=SEED, training_samples=len(train_index),
        validation_samples=len(val_index), test_samples=len(test_index))))


if __name__ == "__main__":
    cli = argparse.ArgumentParser(description="U-Net segmentation")
    cli.add_argument("--data", type=Path, default=Path("/data"))
    cli.add_argument("--out", type=Path, default=Path("/out"))
    cli.add_argument("--epochs", type=int, default=25)
    options = cli.parse_args()
    run(options.data, options.out, options.epochs)
