# main.py
from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import TensorDataset
from model import UNet
from train import History, fit_epoch, test


@dataclasses.dataclass(frozen=True)
class Settings:
    side: int = 40
    channels: tuple[int, ...] = (8, 16, 24)
    batch: int = 8
    rate: float = 4e-3
    decay: float = 1e-3
    cut: float = 0.4
    seed: int = 99


def foreground_weight(dataset, indices) -> torch.Tensor:
    """Background pixels a foreground pixel, over the training part."""
    share = torch.stack([dataset[i][1].mean() for i in indices]).mean().clamp(min=1e-3)
    return ((1 - share) / share).reshape(1)


def to_excel(path: Path, rows) -> None:
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        pd.DataFrame(rows).to_excel(writer, index=False, header=False)


def draw(path: Path, model, dataset, indices, s: Settings, device) -> None:
    order = torch.randperm(len(indices))[:5].tolist()
    figure, axes = plt.subplots(len(order), 3, squeeze=False)
    model.eval()
    for axis, k in zip(axes, order):
        image, mask = dataset[indices[k]]
        with torch.no_grad():
            probability = model(image[None].to(device)).sigmoid()[0, 0].cpu()
        axis[0].imshow(image.permute(1, 2, 0))
        axis[1].imshow(mask[0], cmap="gray")
        axis[2].imshow(probability > s.cut, cmap="gray")
        axis[1].set_title(dataset.pairs[indices[k]][0].name)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default="/data")
    parser.add_argument("--out", type=Path, default="/out")
    parser.add_argument("--epochs", type=int, default=18)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    s = Settings()
    torch.manual_seed(s.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dataset = TensorDataset(args.data, s.side)
    first, rest = train_test_split(list(range(len(dataset))), test_size=0.2, random_state=s.seed)
    second, third = train_test_split(rest, test_size=0.5, random_state=s.seed)
    print(f"{len(first)} training, {len(second)} validation, {len(third)} test")
    training = DataLoader(Subset(dataset, first), s.batch, shuffle=True, generator=torch.Generator().manual_seed(s.seed))
    validation, testing = (DataLoader(Subset(dataset, part), s.batch) for part in (second, third))
    model = UNet(list(s.channels)).to(device)
    summary(model, (1, 3, s.side, s.side))
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(f"{count} trainable parameters")
    weight = foreground_weight(dataset, first).to(device)
    optimizer = torch.optim.NAdam(model.parameters(), lr=s.rate, weight_decay=s.decay)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
    history, started = History(), time.monotonic()
    for epoch in range(1, args.epochs + 1):
        history.train.append(fit_epoch(model, training, optimizer, weight, device, epoch))
        loss, dice = test(model, validation, weight, device, s.cut, f"validation, epoch {epoch}")
        schedule.step()
        history.validation.append(loss)
        history.dice.append(dice)
    print(f"trained for {time.monotonic() - started:.1f} s")
    _, scores = test(model, testing, weight, device, s.cut, "test")
    numbers = list(range(1, args.epochs + 1))
    to_excel(args.out / "train_losses.xlsx", [numbers, history.train])
    to_excel(args.out / "val_losses.xlsx", [numbers, history.validation])
    to_excel(args.out / "validation_dice_scores.xlsx", history.dice)
    to_excel(args.out / "test_dice_scores.xlsx", [scores])
    torch.save(model, args.out / "unet_model.pth")
    torch.save(model.state_dict(), args.out / "unet_state_dict.pth")
    figure, axis = plt.subplots()
    axis.plot(numbers, history.train, label="training")
    axis.plot(numbers, history.validation, label="validation")
    axis.legend()
    figure.savefig(args.out / "loss_curve.png")
    draw(args.out / "test_samples.png", model, dataset, third, s, device)
    config = {
        "input_size": [s.side, s.side], "input_channels": 3, "encoder_stages": 2, "decoder_stages": 2,
        "encoder_channels": [8, 16], "decoder_channels": [16, 8], "bottleneck_channels": 24,
        "conv_block": "(conv3x3-groupnorm-silu)x2", "normalization": "group", "upsampling": "nearest",
        "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "none",
        "trainable_parameters": count, "dropout": 0, "loss": "BCE with logits, weighted", "optimizer": "NAdam",
        "learning_rate": s.rate, "weight_decay": s.decay, "scheduler": "ExponentialLR", "batch_size": s.batch,
        "epochs": args.epochs, "threshold": s.cut, "seed": s.seed, "training_samples": len(first),
        "validation_samples": len(second), "test_samples": len(third),
    }
    (args.out / "config.json").write_text(json.dumps(config, indent=4))


if __name__ == "__main__":
    main()
