# main.py
import argparse, json, os, time

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Subset
from torchinfo import summary

from dataset import ContrastDataset
from model import UNet
from train import DeepSupervisionLoss, train, validate

SIZE, BATCH, LR, DECAY, SEED = 48, 5, 0.01, 3e-5, 1234


def polynomial(epoch, total):
    return (1 - epoch / total) ** 0.9


def main(args):
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(SEED)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = ContrastDataset(args.data, SIZE)
    train_part, rest = train_test_split(list(range(len(data))), test_size=0.2, random_state=SEED)
    val_part, test_part = train_test_split(rest, test_size=0.5, random_state=SEED)
    print(len(train_part), "training,", len(val_part), "validation,", len(test_part), "test")
    train_loader = DataLoader(Subset(data, train_part), batch_size=BATCH, shuffle=True)
    val_loader = DataLoader(Subset(data, val_part), batch_size=BATCH)
    test_loader = DataLoader(Subset(data, test_part), batch_size=BATCH)
    model = UNet().to(device)
    summary(model, (1, 1, SIZE, SIZE))
    number = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("trainable parameters", number)
    criterion = DeepSupervisionLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.99, nesterov=True, weight_decay=DECAY)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda e: polynomial(e, max(args.epochs, 1)))
    logs = {"train": [], "val": [], "dice": []}
    start = time.time()
    for epoch in range(1, args.epochs + 1):
        logs["train"].append(train(model, train_loader, optimizer, criterion, device, epoch))
        loss, dice = validate(model, val_loader, criterion, device, f"validation {epoch}")
        logs["val"].append(loss)
        logs["dice"].append(dice)
        scheduler.step()
    print("training seconds", time.time() - start)
    _, test_dice = validate(model, test_loader, criterion, device, "test")

    out = lambda n: os.path.join(args.out, n)
    e = np.arange(1, args.epochs + 1)
    pd.DataFrame([e, logs["train"]]).to_excel(out("train_losses.xlsx"), header=False, index=False)
    pd.DataFrame([e, logs["val"]]).to_excel(out("val_losses.xlsx"), header=False, index=False)
    pd.DataFrame(logs["dice"]).to_excel(out("validation_dice_scores.xlsx"), header=False, index=False)
    pd.DataFrame([test_dice]).to_excel(out("test_dice_scores.xlsx"), header=False, index=False)
    torch.save(model, out("unet_model.pth"))
    torch.save(model.state_dict(), out("unet_state_dict.pth"))
    plt.plot(e, logs["train"], label="train"); plt.plot(e, logs["val"], label="val"); plt.legend()
    plt.savefig(out("loss_curve.png")); plt.close()
    picked = np.random.RandomState(SEED).choice(test_part, min(5, len(test_part)), replace=False)
    _, ax = plt.subplots(len(picked), 3, squeeze=False)
    for r, i in enumerate(picked):
        x, y = data[i]
        with torch.no_grad():
            z = torch.sigmoid(model(torch.from_numpy(x)[None].to(device)))[0, 0].cpu().numpy() > 0.5
        for c, what in enumerate((x[0], y[0], z)):
            ax[r, c].imshow(what, cmap="gray"); ax[r, c].axis("off")
        ax[r, 0].set_title(data.names[i])
    plt.savefig(out("test_samples.png"))
    json.dump(dict(
        input_size=[SIZE, SIZE], input_channels=1, encoder_stages=3, decoder_stages=3, encoder_channels=[8, 12, 16],
        decoder_channels=[16, 12, 8], bottleneck_channels=24, conv_block="(conv3x3-instancenorm-leakyrelu)x2",
        normalization="instance", upsampling="transposed", skip="concatenation", final_layer="conv1x1",
        output_activation="none", trainable_parameters=number, dropout=0, loss="BCE with logits, deep supervision",
        optimizer="SGD", learning_rate=LR, weight_decay=DECAY, scheduler="polynomial", batch_size=BATCH,
        epochs=args.epochs, threshold=0.5, seed=SEED, training_samples=len(train_part),
        validation_samples=len(val_part), test_samples=len(test_part)), open(out("config.json"), "w"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/data")
    parser.add_argument("--out", default="/out")
    parser.add_argument("--epochs", type=int, default=12)
    main(parser.parse_args())
