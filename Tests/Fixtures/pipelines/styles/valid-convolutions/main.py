# main.py
import argparse
import json
import random
import time
from os import makedirs
from os.path import join

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
from pandas import DataFrame
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import SkimageSegmentation
from model import UNet
import train as T


def loaders_of(data, batch):
    a, b = train_test_split(range(len(data)), test_size=0.2, random_state=0)
    b, c = train_test_split(b, test_size=0.5, random_state=0)
    parts = [Subset(data, p) for p in (a, b, c)]
    print("pairs:", *map(len, parts))
    return parts, [DataLoader(p, batch_size=batch, shuffle=k == 0) for k, p in enumerate(parts)]


def main():
    parser = argparse.ArgumentParser()
    for flag, default in (("--data", "/data"), ("--out", "/out")):
        parser.add_argument(flag, default=default)
    parser.add_argument("--epochs", type=int, default=16)
    opts = parser.parse_args()
    makedirs(opts.out, exist_ok=True)
    torch.manual_seed(0)
    random.seed(0)
    device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
    parts, (tr, va, te) = loaders_of(SkimageSegmentation(opts.data), 5)
    net = UNet().to(device)
    summary(net, (1, 1, 60, 60))
    size = sum(q.numel() for q in net.parameters())
    print("parameters", size)
    optimiser = torch.optim.RMSprop(net.parameters(), lr=5e-4, alpha=0.95, weight_decay=1e-6)
    clock = time.time()
    curves = [], [], []
    for epoch in range(opts.epochs):
        curves[0].append(T.train(net, tr, optimiser, device, epoch))
        value, dice = T.assess(net, va, device, epoch, "validation")
        curves[1].append(value)
        curves[2].append(dice)
    print("seconds", time.time() - clock)
    _, final = T.assess(net, te, device, opts.epochs, "test")

    def excel(name, rows):
        DataFrame(rows).to_excel(join(opts.out, name), header=False, index=False)

    numbers = list(range(1, opts.epochs + 1))
    excel("train_losses.xlsx", [numbers, curves[0]])
    excel("val_losses.xlsx", [numbers, curves[1]])
    excel("validation_dice_scores.xlsx", curves[2])
    excel("test_dice_scores.xlsx", [final])
    torch.save(net, join(opts.out, "unet_model.pth"))
    torch.save(net.state_dict(), join(opts.out, "unet_state_dict.pth"))
    for values, name in zip(curves[:2], ("training", "validation")):
        plt.plot(numbers, values, label=name)
    plt.legend()
    plt.savefig(join(opts.out, "loss_curve.png"))
    plt.clf()
    test = parts[2]
    picked = random.sample(range(len(test)), k=min(5, len(test)))
    for row, i in enumerate(picked):
        x, y = test[i]
        with torch.no_grad():
            z = net(x[None].to(device))[0].cpu() > 0
        for column, what in enumerate((x, y, z)):
            plt.subplot(len(picked), 3, 3 * row + column + 1)
            plt.imshow(what[0], cmap="gray")
            plt.title(test.dataset.items[test.indices[i]], fontsize=5)
    plt.savefig(join(opts.out, "test_samples.png"))
    keys = ("input_size input_channels encoder_stages decoder_stages encoder_channels decoder_channels "
            "bottleneck_channels conv_block normalization upsampling skip final_layer output_activation "
            "trainable_parameters dropout loss optimizer learning_rate weight_decay scheduler batch_size epochs "
            "threshold seed training_samples validation_samples test_samples").split()
    values = [[60, 60], 1, 2, 2, [8, 16], [16, 8], 32, "(conv3x3-relu)x2", "none", "transposed",
              "concatenation, cropped", "conv1x1", "none", size, 0, "Dice", "RMSprop", 5e-4, 1e-6, "none", 5,
              opts.epochs, 0.5, 0, *map(len, parts)]
    with open(join(opts.out, "config.json"), "w") as f:
        json.dump(dict(zip(keys, values)), f)


if __name__ == "__main__":
    main()
