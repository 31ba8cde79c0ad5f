import torch
from torch.utils.data import DataLoader
from dataset import SegDataset
from model import UNet
from train import train

loader = DataLoader(SegDataset(), batch_size=4, shuffle=True)
model = UNet()
opt = torch.optim.AdamW(model.parameters(), lr=3e-4)
for epoch in range(2):
    loss = train(model, loader, opt, "cpu")
    print(f"Epoch {epoch + 1}: loss {loss:.4f}")
