# main.py
import argparse, json, os, sys, time

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
import torchinfo
from sklearn.model_selection import train_test_split

from dataset import Table, index_of
from model import UNet
from train import passes


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", default=12, type=int)
    a = parser.parse_args(argv)
    if not os.path.isdir(a.out):
        os.makedirs(a.out)
    torch.manual_seed(64)
    rows = index_of(a.data)
    train_rows, rest = train_test_split(rows, test_size=0.2, random_state=64)
    val_rows, test_rows = train_test_split(rest, test_size=0.5, random_state=64)
    tables = [Table(r, 48) for r in (train_rows, val_rows, test_rows)]
    print("train, validation, test:", [len(t) for t in tables])
    loaders = [torch.utils.data.DataLoader(t, batch_size=8, shuffle=t is tables[0]) for t in tables]
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    model = UNet().to(device)
    torchinfo.summary(model, input_size=(8, 1, 48, 48))
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("parameters:", count)
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0, rho=0.95, eps=1e-6)
    learn, judge = passes(model, device)
    log, started = [], time.time()
    for epoch in range(1, a.epochs + 1):
        entry = {"epoch": epoch, "train": learn(loaders[0], optimizer, f"training epoch {epoch}")}
        entry["val"], entry["dice"] = judge(loaders[1], f"validation epoch {epoch}")
        log.append(entry)
    print("total", time.time() - started)
    _, test_dice = judge(loaders[2], "test")

    def xlsx(name, rows):
        with open(os.path.join(a.out, name), "wb") as f:
            pd.DataFrame(rows).to_excel(f, header=False, index=False, engine="openpyxl")

    xlsx("train_losses.xlsx", [[e["epoch"] for e in log], [e["train"] for e in log]])
    xlsx("val_losses.xlsx", [[e["epoch"] for e in log], [e["val"] for e in log]])
    xlsx("validation_dice_scores.xlsx", [e["dice"] for e in log])
    xlsx("test_dice_scores.xlsx", [test_dice])
    torch.save(model, os.path.join(a.out, "unet_model.pth"))
    torch.save(model.state_dict(), os.path.join(a.out, "unet_state_dict.pth"))
    plt.plot([e["train"] for e in log], label="train")
    plt.plot([e["val"] for e in log], label="val")
    plt.legend()
    plt.savefig(os.path.join(a.out, "loss_curve.png"))
    plt.figure()
    order = torch.randperm(len(test_rows)).tolist()[:5]
    model.eval()
    for r, i in enumerate(order):
        x, y = tables[2][i]
        with torch.no_grad():
            p = model(torch.from_numpy(x)[None].to(device))[0, 0].cpu().numpy() > 0.35
        for c, what in enumerate((x[0], y[0], p)):
            plt.subplot(len(order), 3, 1 + c + 3 * r)
            plt.imshow(what, cmap="gray")
            plt.axis("off")
        plt.title(os.path.basename(test_rows[i]["image"]), fontsize=5)
    plt.savefig(os.path.join(a.out, "test_samples.png"))
    stated = {"input_size": [48, 48], "input_channels": 1, "encoder_stages": 2, "decoder_stages": 2,
              "encoder_channels": [12, 20], "decoder_channels": [20, 12], "bottleneck_channels": 32,
              "conv_block": "depthwise separable conv3x3-batchnorm-relu6", "normalization": "batch",
              "upsampling": "nearest", "skip": "concatenation", "final_layer": "conv1x1",
              "output_activation": "sigmoid", "trainable_parameters": count, "dropout": 0, "loss": "weighted BCE",
              "optimizer": "Adadelta", "learning_rate": 1.0, "weight_decay": 0, "scheduler": "none", "batch_size": 8,
              "epochs": a.epochs, "threshold": 0.35, "seed": 64}
    for key, table in zip(("training_samples", "validation_samples", "test_samples"), tables):
        stated[key] = len(table)
    with open(os.path.join(a.out, "config.json"), "w") as f:
        json.dump(stated, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
