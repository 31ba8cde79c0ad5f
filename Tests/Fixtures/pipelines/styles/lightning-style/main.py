# main.py
import argparse
import json
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
import torchinfo

from dataset import DataModule
from train import BestWeights, MiniTrainer, SegmentationTask


def save_tables(out, logs, test):
    epochs = range(1, len(logs["train"]) + 1)
    frames = {
        "train_losses": pd.DataFrame(logs["train"], index=epochs).reset_index().T,
        "val_losses": pd.DataFrame(logs["val"], index=epochs).reset_index().T,
        "validation_dice_scores": pd.DataFrame(logs["dice"]),
        "test_dice_scores": pd.DataFrame([test]),
    }
    for name, frame in frames.items():
        frame.to_excel(out / f"{name}.xlsx", header=False, index=False)


def save_figures(out, logs, task, part):
    fig, ax = plt.subplots()
    ax.plot(logs["train"], label="train")
    ax.plot(logs["val"], label="val")
    fig.legend()
    fig.savefig(out / "loss_curve.png")
    shown = torch.randperm(len(part))[:5].tolist()
    fig, ax = plt.subplots(len(shown), 3, squeeze=False)
    for row, i in zip(ax, shown):
        x, y, name = part[i]
        with torch.inference_mode():
            z = task(x[None].to(next(task.parameters()).device)).sigmoid()[0, 0].cpu() > 0.5
        row[0].imshow(x[0], cmap="gray")
        row[1].imshow(y[0], cmap="gray")
        row[2].imshow(z, cmap="gray")
        row[0].set_ylabel(name, fontsize=6)
    fig.savefig(out / "test_samples.png")


def main(data: str, out: str, epochs: int):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(3)
    module = DataModule(data)
    module.setup()
    sizes = {k: len(v) for k, v in module.parts.items()}
    print(sizes)
    task = SegmentationTask(lr=5e-3)
    torchinfo.summary(task.model, (1, 1, *module.size))
    count = sum(p.numel() for p in task.parameters() if p.requires_grad)
    print(count)
    trainer = MiniTrainer(epochs, "cuda" if torch.cuda.is_available() else "cpu", [BestWeights()])
    trainer.fit(task, module)
    dice = trainer.test(task, module)
    save_tables(out, trainer.logs, dice)
    torch.save(task.model, out / "unet_model.pth")
    torch.save(task.model.state_dict(), out / "unet_state_dict.pth")
    save_figures(out, trainer.logs, task, module.parts["test"])
    config = {"input_size": module.size, "input_channels": 1, "encoder_stages": 2, "decoder_stages": 2,
              "encoder_channels": [8, 16], "decoder_channels": [16, 8], "bottleneck_channels": 32,
              "conv_block": "(conv3x3-selu)x2", "normalization": "none", "upsampling": "transposed",
              "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "none",
              "trainable_parameters": count, "dropout": 0.2, "loss": "BCE with logits", "optimizer": "Adamax",
              "learning_rate": 5e-3, "weight_decay": 0, "scheduler": "SequentialLR", "batch_size": 4,
              "epochs": epochs, "threshold": 0.5, "seed": 3, "training_samples": sizes["train"],
              "validation_samples": sizes["val"], "test_samples": sizes["test"]}
    (out / "config.json").write_text(json.dumps(config))


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--data", default="/data")
    cli.add_argument("--out", default="/out")
    cli.add_argument("--epochs", type=int, default=14)
    main(**cli.parse_args().__dict__)
