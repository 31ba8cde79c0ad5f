import argparse
import torch
from model import build_unet


def main():
    parser = argparse.ArgumentParser(description="U-Net")
    parser.add_argument("--data", default="data")
    parser.add_argument("--out", default="/tmp")
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    model = build_unet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.5, patience=5, verbose=True)
    for epoch in range(args.epochs):
        scheduler.step(1.0)


if __name__ == "__main__":
    main()
