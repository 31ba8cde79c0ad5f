import argparse

from dataset import SegmentationDataset
from model import UNet
from train import evaluate, train_epoch


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=30)
    print(parser.parse_args(), SegmentationDataset, UNet, evaluate, train_epoch)


if __name__ == "__main__":
    main()
