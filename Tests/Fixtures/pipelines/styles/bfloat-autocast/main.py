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

from dataset import HalfDataset
from model import UNet
from train import evaluate, train

if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", default="/data")
    ap.add_argument("--out", default="/out")
    ap.add_argument("--epochs", type=int, default=5)
    args = ap.parse_args()
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    ds = HalfDataset(args.data)
    tr, rest = train_test_split(range(len(ds)), test_size=0.2, random_state=0)
    va, te = train_test_split(rest, test_size=0.5, random_state=0)
    print(len(tr), len(va), len(te))
    dl = [DataLoader(Subset(ds, ids), batch_size=8, shuffle=ids is tr) for ids in (tr, va, te)]
    model = UNet().to(device)
    summary(model, (1, 1, 32, 32))
    n = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("trainable", n)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler("cuda", enabled=device.type == "cuda")
    t, tl, vl, vd = time.time(), [], [], []
    for epoch in range(1, args.epochs + 1):
        tl.append(train(model, dl[0], optimizer, scaler, device, epoch))
        loss, dice = evaluate(model, dl[1], device, f"validation {epoch}")
        vl.append(loss)
        vd.append(dice)
    print("training took", time.time() - t, "s")
    _, td = evaluate(model, dl[2], device, "test")
    e = list(range(1, args.epochs + 1))
    for name, rows in (("train_losses", [e, tl]), ("val_losses", [e, vl]), ("validation_dice_scores", vd),
                       ("test_dice_scores", [td])):
        pd.DataFrame(rows).to_excel(f"{args.out}/{name}.xlsx", header=False, index=False)
    torch.save(model, f"{args.out}/unet_model.pth")
    torch.save(model.state_dict(), f"{args.out}/unet_state_dict.pth")
    plt.plot(e, tl, label="train")
    plt.plot(e, vl, label="val")
    plt.legend()
    plt.savefig(f"{args.out}/loss_curve.png")
    shown = te[:5]
    fig, ax = plt.subplots(len(shown), 3, squeeze=False)
    for r, i in enumerate(shown):
        x, y = ds[i]
        with torch.no_grad():
            p = torch.sigmoid(model(x[None].to(device)))[0].cpu() > 0.5
        for c, what in enumerate((x, y, p)):
            ax[r, c].imshow(what[0], cmap="gray")
        ax[r, 0].set_title(ds.names[i])
    fig.savefig(f"{args.out}/test_samples.png")
    json.dump({
        "input_size": [32, 32], "input_channels": 1, "encoder_stages": 1, "decoder_stages": 1, "encoder_channels": [6],
        "decoder_channels": [6], "bottleneck_channels": 12, "conv_block": "conv3x3-relu", "normalization": "none",
        "upsampling": "transposed", "skip": "concatenation", "final_layer": "conv1x1", "output_activation": "none",
        "trainable_parameters": n, "dropout": 0, "loss": "BCEWithLogits", "optimizer": "Adam", "learning_rate": 1e-3,
        "weight_decay": 0, "scheduler": "none", "batch_size": 8, "epochs": args.epochs, "threshold": 0.5, "seed": 0,
        "training_samples": len(tr), "validation_samples": len(va), "test_samples": len(te)},
        open(f"{args.out}/config.json", "w"))
