import torch
from torch.utils.data import DataLoader, TensorDataset
from model import UNet
from train import train_epoch

torch.manual_seed(0)
images = torch.rand(6, 1, 50, 50)
masks = (images > 0.5).float()
loader = DataLoader(TensorDataset(images, masks), batch_size=2, shuffle=True)
model = UNet()
print(f"Parameters: {sum(p.numel() for p in model.parameters())}")
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
print(train_epoch(model, loader, optimizer))
