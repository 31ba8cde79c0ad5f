# main.py
import argparse
import json
import os
import time

import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import GrayscaleSet, list_samples
from model import UNet
from train import loop


class Experiment:
    batch, rate, seed = 8, 0.02, 31
    shape = (32, 40)

    def __init__(self, data, out, epochs):
        self.out, self.epochs = out, epochs
        os.makedirs(out, exist_ok=True)
        torch.manual_seed(self.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.data = GrayscaleSet(list_samples(data), *self.shape)
        self.split()
        self.model = UNet().to(self.device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), self.rate, momentum=0.95)
        self.scheduler = torch.optim.lr_scheduler.MultiStepLR(
            self.optimizer, [int(epochs * 0.5), int(epochs * 0.8)], gamma=0.2)
        self.losses, self.val_losses, self.val_dice, self.test_dice = [], [], [], []

    def split(self):
        tr, rest = train_test_split(range(len(self.data)), test_size=0.2, random_state=self.seed)
        va, te = train_test_split(rest, test_size=0.5, random_state=self.seed)
        self.parts = [Subset(self.data, i) for i in (tr, va, te)]
        self.train_loader, self.val_loader, self.test_loader = (
            DataLoader(p, batch_size=self.batch, shuffle=i == 0) for i, p in enumerate(self.parts))
        print("sizes", [len(p) for p in self.parts])

    def fit(self):
        summary(self.model, input_size=(1, 3, *self.shape))
        self.parameters = sum(p.numel() for p in self.model.parameters() if p.requires_grad)
        print("parameters", self.parameters)
        t = time.time()
        for e in range(self.epochs):
            self.losses.append(loop(self.model, self.train_loader, self.device, f"training {e}", self.optimizer))
            loss, dice = loop(self.model, self.val_loader, self.device, f"validation {e}")
            self.scheduler.step()
            self.val_losses.append(loss)
            self.val_dice.append(dice)
        print("time", time.time() - t)
        _, self.test_dice = loop(self.model, self.test_loader, self.device, "test")

    def report(self):
        path = lambda name: os.path.join(self.out, name)
        epochs = np.arange(1, self.epochs + 1)
        for name, frame in {"train_losses": [epochs, self.losses], "val_losses": [epochs, self.val_losses],
                            "validation_dice_scores": self.val_dice, "test_dice_scores": [self.test_dice]}.items():
            pd.DataFrame(frame).to_excel(path(name + ".xlsx"), header=False, index=False)
        torch.save(self.model, path("unet_model.pth"))
        torch.save(self.model.state_dict(), path("unet_state_dict.pth"))
        ax = pd.DataFrame({"train": self.losses, "validation": self.val_losses}, index=epochs).plot(legend=True)
        ax.figure.savefig(path("loss_curve.png"))
        test = self.parts[2]
        picked = np.random.choice(len(test), min(5, len(test)), replace=False)
        fig, axs = plt.subplots(len(picked), 3, squeeze=False)
        self.model.eval()
        for row, i in zip(axs, picked):
            x, y = test[i]
            with torch.no_grad():
                z = torch.sigmoid(self.model(x[None].to(self.device)))[0].cpu() > 0.5
            [a.imshow(p, cmap="gray") for a, p in zip(row, (x[0], y, z))]
            row[0].set_title(self.data.samples[test.indices[i]]["id"])
        fig.savefig(path("test_samples.png"))
        stated = {
            "input_size": list(self.shape), "input_channels": 3, "encoder_stages": 2, "decoder_stages": 2,
            "encoder_channels": [8, 16], "decoder_channels": [16, 8], "bottleneck_channels": 32,
            "conv_block": "(batchnorm-gelu-conv3x3)x2 with squeeze and excitation", "normalization": "batch",
            "upsampling": "transposed", "skip": "concatenation", "final_layer": "conv1x1",
            "output_activation": "none", "trainable_parameters": self.parameters, "dropout": 0, "loss": "Tversky",
            "optimizer": "SGD", "learning_rate": self.rate, "weight_decay": 0, "scheduler": "MultiStepLR",
            "batch_size": self.batch, "epochs": self.epochs, "threshold": 0.5, "seed": self.seed,
            **dict(zip(("training_samples", "validation_samples", "test_samples"), map(len, self.parts)))}
        with open(path("config.json"), "w") as f:
            f.write(json.dumps(stated))


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="/data", help="folder with images/ and masks/")
    p.add_argument("--out", default="/out", help="folder for results")
    p.add_argument("--epochs", type=int, default=20)
    a = p.parse_args()
    experiment = Experiment(a.data, a.out, a.epochs)
    experiment.fit()
    experiment.report()
