import torch
from torch.utils.data import DataLoader, TensorDataset
from train import evaluate

torch.manual_seed(0)
x = torch.rand(6, 1, 24, 24)
ds = TensorDataset(x, (x > 0.5).float())
net = torch.nn.Conv2d(1, 1, 1)
print(f"Validation Dice: {evaluate(net, DataLoader(ds, batch_size=2)):.4f}")
