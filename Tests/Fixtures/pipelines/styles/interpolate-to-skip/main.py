# main.py
import argparse
import copy
import json
import os
import time

os.environ.setdefault("MPLBACKEND", "Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import IMG_HEIGHT, IMG_WIDTH, OpenCVDataset
from model import UNet
from train import BCEDiceLoss, run_epoch

CFG = {
    "input_size": [IMG_HEIGHT, IMG_WIDTH],
    "input_channels": 1,
    "encoder_stages": 3,
    "decoder_stages": 3,
    "encoder_channels": [8, 16, 32],
    "decoder_channels": [32, 16, 8],
    "bottleneck_channels": 48,
    "conv_block": "(conv3x3-batchnorm-leakyrelu)x2",
    "normalization": "batch",
    "upsampling": "bilinear",
    "skip": "concatenation",
    "final_layer": "conv1x1",
    "output_activation": "none",
    "dropout": 0,
    "loss": "BCE + Dice",
    "optimizer": "AdamW",
    "learning_rate": 2e-3,
    "weight_decay": 1e-2,
    "scheduler": "CosineAnnealingLR",
    "batch_size": 4,
    "threshold": 0.45,
    "seed": 123,
}


def parameter_groups(model, decay):
    """No decay for biases and normalisation."""
    with_decay, without = [], []
    for _, p in model.named_parameters():
        (without if p.ndim <= 1 else with_decay).append(p)
    return [{"params": with_decay, "weight_decay": decay}, {"params": without, "weight_decay": 0.0}]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=str, default="/data")
    ap.add_argument("--out", type=str, default="/out")
    ap.add_argument("--epochs", type=int, default=30)
    a = ap.parse_args()
    os.makedirs(a.out, exist_ok=True)
    np.random.seed(CFG["seed"])
    torch.manual_seed(CFG["seed"])
    dev = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")

    ds = OpenCVDataset(a.data)
    tr, rest = train_test_split(list(range(len(ds))), test_size=0.2, random_state=CFG["seed"], shuffle=True)
    va, te = train_test_split(rest, test_size=0.5, random_state=CFG["seed"], shuffle=True)
    print("train/val/test:", len(tr), len(va), len(te))
    dl_tr = DataLoader(Subset(ds, tr), batch_size=CFG["batch_size"], shuffle=True)
    dl_va = DataLoader(Subset(ds, va), batch_size=CFG["batch_size"])
    dl_te = DataLoader(Subset(ds, te), batch_size=CFG["batch_size"])

    net = UNet().to(dev)
    print(summary(net, input_size=(2, 1, IMG_HEIGHT, IMG_WIDTH), verbose=0))
    n_params = sum(p.numel() for p in net.parameters() if p.requires_grad)
    print("Trainable:", n_params)
    loss_fn = BCEDiceLoss()
    opt = torch.optim.AdamW(parameter_groups(net, CFG["weight_decay"]), lr=CFG["learning_rate"])
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=a.epochs, eta_min=1e-5)

    best_loss, best_state = float("inf"), None
    t0 = time.time()
    tl, vl, vd = [], [], []
    for ep in range(1, a.epochs + 1):
        loss, _ = run_epoch(net, dl_tr, loss_fn, dev, opt, title=f"training, epoch {ep}")
        val_loss, dices = run_epoch(net, dl_va, loss_fn, dev, None, CFG["threshold"], f"validation, epoch {ep}")
        sched.step()
        tl.append(loss)
        vl.append(val_loss)
        vd.append(dices)
        if val_loss < best_loss:
            best_loss = val_loss
            best_state = copy.deepcopy(net.state_dict())
    print(f"Total training time: {time.time() - t0:.2f} seconds")
    if best_state is not None:
        net.load_state_dict(best_state)
    _, td = run_epoch(net, dl_te, loss_fn, dev, None, CFG["threshold"], "test")

    for fname, rows in [("train_losses", [range(1, len(tl) + 1), tl]), ("val_losses", [range(1, len(vl) + 1), vl]),
                        ("validation_dice_scores", vd), ("test_dice_scores", [td])]:
        pd.DataFrame([list(r) for r in rows]).to_excel(os.path.join(a.out, fname + ".xlsx"), header=None, index=False)
    torch.save(net, os.path.join(a.out, "unet_model.pth"))
    torch.save(net.state_dict(), os.path.join(a.out, "unet_state_dict.pth"))
    plt.plot(tl, label="train")
    plt.plot(vl, label="validation")
    plt.legend()
    plt.savefig(os.path.join(a.out, "loss_curve.png"))
    plt.close("all")

    rng = np.random.default_rng(CFG["seed"])
    picks = rng.permutation(te)[:5]
    f, ax = plt.subplots(len(picks), 3, squeeze=False)
    net.eval()
    for k, i in enumerate(picks):
        s = ds[int(i)]
        with torch.no_grad():
            p = torch.sigmoid(net(s["image"][None].to(dev)))[0, 0].cpu().numpy()
        ax[k, 0].imshow(s["image"][0], cmap="gray")
        ax[k, 1].imshow(s["mask"][0], cmap="gray")
        ax[k, 2].imshow(p > CFG["threshold"], cmap="gray")
        ax[k, 0].set_ylabel(s["name"])
    f.savefig(os.path.join(a.out, "test_samples.png"))
    CFG.update(trainable_parameters=n_params, epochs=a.epochs, training_samples=len(tr), validation_samples=len(va),
               test_samples=len(te))
    json.dump(CFG, open(os.path.join(a.out, "config.json"), "w"))


if __name__ == "__main__":
    main()
