import torch.nn as nn
from torch.utils.data import DataLoader
from dataset import SliceDataset
from train import run_epoch

if __name__ == "__main__":
    loader = DataLoader(SliceDataset(), batch_size=2, shuffle=False, num_workers=1)
    print(run_epoch(loader, nn.Conv2d(1, 1, 3, padding=1)))
