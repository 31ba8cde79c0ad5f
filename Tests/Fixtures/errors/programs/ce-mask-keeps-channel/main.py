import torch
from torch.utils.data import DataLoader
from dataset import CellDataset
from model import UNet
from train import train_epoch

def main():
    model = UNet()
    loader = DataLoader(CellDataset(), batch_size=2, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    print("loss", train_epoch(model, loader, optimizer))

if __name__ == "__main__":
    main()
