import torch
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(torch.zeros(1, 1)), batch_size=2, drop_last=True)
images, = next(iter(loader))
