import argparse

parser = argparse.ArgumentParser(description="Train a U-Net")
parser.add_argument("--data", default="data")
parser.add_argument("--epochs", type=int, default=2)
args = parser.parse_args()
print(“Epochs:”, args.epochs)
