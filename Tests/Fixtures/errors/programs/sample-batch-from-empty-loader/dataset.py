import torch
from torch.utils.data import DataLoader, TensorDataset

def loaders(n=10, batch_size=8):
    x = torch.rand(n, 1, 16, 16)
    cut = int(n * 0.8)
    train = TensorDataset(x[:cut], (x[:cut] > 0.5).float())
    val = TensorDataset(x[cut:], (x[cut:] > 0.5).float())
    options = dict(batch_size=batch_size, drop_last=True)
    return DataLoader(train, shuffle=True, **options), DataLoader(val, **options)
