# main.py
import argparse
import json
import os
import random
import time

import matplotlib
matplotlib.use("Agg")
from matplotlib import pyplot
import numpy
import pandas
import torch
from sklearn.model_selection import train_test_split
from torch import optim
from torch.utils import data as torch_data
from torchinfo import summary

from dataset import PolypLikeDataset
from model import UNet
from train import EarlyStopping, step_through


def seed_all(seed):
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)
    torch.backends.cudnn.deterministic = True


def main(data, out, epochs):
    os.makedirs(out, exist_ok=True)
    seed_all(5)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    count = len(os.listdir(os.path.join(data, "images")))
    train_ids, other = train_test_split(list(range(count)), test_size=0.2, random_state=5)
    val_ids, test_ids = train_test_split(other, test_size=0.5, random_state=5)
    sets = {k: PolypLikeDataset(data, v) for k, v in dict(train=train_ids, val=val_ids, test=test_ids).items()}
    print({k: len(v) for k, v in sets.items()})
    loaders = {k: torch_data.DataLoader(v, batch_size=6, shuffle=(k == "train")) for k, v in sets.items()}
    model = UNet().to(device)
    summary(model, input_size=(1, 1, 48, 40))
    number = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("trainable:", number)
    optimizer = optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-4, amsgrad=True)
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2, factor=0.3, min_lr=1e-6)
    stopper = EarlyStopping(patience=5)
    record = {"train": [], "val": [], "dice": []}
    start = time.time()
    checkpoint = os.path.join(out, "unet_state_dict.pth")
    for epoch in range(1, epochs + 1):
        loss, _ = step_through(f"training {epoch}", model, loaders["train"], device, optimizer)
        val_loss, dice = step_through(f"validation {epoch}", model, loaders["val"], device)
        scheduler.step(val_loss)
        for key, value in zip(record, (loss, val_loss, dice)):
            record[key].append(value)
        if stopper(val_loss):
            torch.save(model.state_dict(), checkpoint)
        if stopper.stop:
            break
    print("training time in seconds:", time.time() - start)
    model.load_state_dict(torch.load(checkpoint, weights_only=True))
    torch.save(model, os.path.join(out, "unet_model.pth"))
    _, test_dice = step_through("test", model, loaders["test"], device)

    ran = range(1, len(record["train"]) + 1)
    tables = {"train_losses": [ran, record["train"]], "val_losses": [ran, record["val"]],
              "validation_dice_scores": record["dice"], "test_dice_scores": [test_dice]}
    for name, table in tables.items():
        pandas.DataFrame(table).to_excel(os.path.join(out, name + ".xlsx"), index=False, header=False)
    pyplot.plot(ran, record["train"], label="training loss")
    pyplot.plot(ran, record["val"], label="validation loss")
    pyplot.legend()
    pyplot.savefig(os.path.join(out, "loss_curve.png"))
    pyplot.close()
    test_set = sets["test"]
    picked = random.sample(range(len(test_set)), min(5, len(test_set)))
    figure, axes = pyplot.subplots(len(picked), 3, squeeze=False)
    for line, i in zip(axes, picked):
        item = test_set[i]
        with torch.no_grad():
            predicted = model(item["x"].unsqueeze(0).to(device)).cpu().round()[0]
        for axis, picture in zip(line, (item["x"] * 0.5 + 0.5, item["y"], predicted)):
            axis.imshow(picture.squeeze(0), cmap="gray", vmin=0, vmax=1)
        line[0].set_title(test_set.names[i])
    figure.savefig(os.path.join(out, "test_samples.png"))
    description = dict(
        input_size=[48, 40], input_channels=1, encoder_stages=2, decoder_stages=2, encoder_channels=[6, 12],
        decoder_channels=[12, 6], bottleneck_channels=24, conv_block="(conv3x3-instancenorm-prelu)x2",
        normalization="instance", upsampling="transposed", skip="concatenation with attention",
        final_layer="conv1x1", output_activation="sigmoid", trainable_parameters=number, dropout=0,
        loss="focal + Dice", optimizer="AdamW", learning_rate=2e-3, weight_decay=1e-4, scheduler="ReduceLROnPlateau",
        batch_size=6, epochs=epochs, threshold=0.5, seed=5, training_samples=len(train_ids),
        validation_samples=len(val_ids), test_samples=len(test_ids))
    with open(os.path.join(out, "config.json"), "w") as handle:
        json.dump(description, handle)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", default=24, type=int)
    main(**vars(parser.parse_args()))
