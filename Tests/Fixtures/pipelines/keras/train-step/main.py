# main.py
import argparse
import json
import os
import random
import time

import keras
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from dataset import list_pairs, make_dataset
from model import build_unet
from train import dice_scores, train

SIZE, BATCH, SEED, RATE, THRESHOLD, WIDTHS = 32, 8, 11, 0.02, 0.5, (8, 16)


def sheet(rows, path):
    pd.DataFrame(rows).to_excel(path, header=False, index=False)


def plot_losses(train_losses, val_losses, path):
    epochs = range(1, len(train_losses) + 1)
    plt.figure()
    plt.plot(epochs, train_losses, label="training")
    plt.plot(epochs, val_losses, label="validation")
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.savefig(path)
    plt.close()


def plot_samples(model, images, masks, indices, path):
    chosen = random.sample(list(indices), min(5, len(indices)))
    data = make_dataset([images[i] for i in chosen], [masks[i] for i in chosen], SIZE, len(chosen))
    pictures, truths = next(iter(data))
    predictions = model.predict(pictures, verbose=0) >= THRESHOLD
    figure, axes = plt.subplots(len(chosen), 3, figsize=(7, 2.4 * len(chosen)), squeeze=False)
    for row, index in enumerate(chosen):
        for column, panel in enumerate((pictures[row], truths[row], predictions[row])):
            axes[row][column].imshow(np.asarray(panel)[..., 0], cmap="gray", vmin=0, vmax=1)
            axes[row][column].axis("off")
        axes[row][0].set_title(os.path.basename(images[index]), fontsize=7)
    figure.savefig(path)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    keras.utils.set_random_seed(SEED)

    images, masks = list_pairs(args.data)
    rest, test = train_test_split(range(len(images)), test_size=0.1, random_state=SEED)
    training, validation = train_test_split(rest, test_size=len(test), random_state=SEED)
    print(f"training {len(training)}, validation {len(validation)}, test {len(test)}")

    def part(indices, shuffle=False):
        return make_dataset([images[i] for i in indices], [masks[i] for i in indices], SIZE, BATCH, shuffle)

    train_data, val_data, test_data = part(training, shuffle=True), part(validation), part(test)
    model = build_unet(SIZE, widths=WIDTHS)
    model.summary()
    parameters = int(sum(np.prod(w.shape) for w in model.trainable_weights))
    print(f"{parameters} trainable parameters")

    start = time.time()
    train_losses, val_losses, val_dice = train(model, train_data, val_data, args.epochs, RATE, THRESHOLD)
    print(f"trained in {time.time() - start:.1f} s")
    test_dice = dice_scores(model, test_data, THRESHOLD)
    print(f"test Dice {np.mean(test_dice):.3f}")

    def out(name):
        return os.path.join(args.out, name)

    epochs = list(range(1, len(train_losses) + 1))
    sheet([epochs, train_losses], out("train_losses.xlsx"))
    sheet([epochs, val_losses], out("val_losses.xlsx"))
    sheet(val_dice, out("validation_dice_scores.xlsx"))
    sheet([test_dice], out("test_dice_scores.xlsx"))
    model.save(out("unet_model.keras"))
    model.save_weights(out("unet_model.weights.h5"))
    plot_losses(train_losses, val_losses, out("loss_curve.png"))
    plot_samples(model, images, masks, test, out("test_samples.png"))
    config = {
        "input_size": [SIZE, SIZE], "input_channels": 1, "encoder_stages": len(WIDTHS), "decoder_stages": len(WIDTHS),
        "encoder_channels": list(WIDTHS), "decoder_channels": list(reversed(WIDTHS)),
        "bottleneck_channels": 2 * WIDTHS[-1], "conv_block": "(conv3x3-batchnorm-relu)x2", "normalization": "batch",
        "upsampling": "transposed", "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "sigmoid",
        "trainable_parameters": parameters, "dropout": 0, "loss": "binary cross-entropy + soft Dice",
        "optimizer": "SGD", "learning_rate": RATE, "weight_decay": 0, "scheduler": None,
        "batch_size": BATCH, "epochs": args.epochs, "threshold": THRESHOLD, "seed": SEED,
        "training_samples": len(training), "validation_samples": len(validation), "test_samples": len(test),
    }
    with open(out("config.json"), "w") as file:
        json.dump(config, file, indent=2)


if __name__ == "__main__":
    main()
