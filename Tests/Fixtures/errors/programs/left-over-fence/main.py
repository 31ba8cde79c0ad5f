import torch
from torch.utils.data import DataLoader

from dataset import Blobs

for x, y in DataLoader(Blobs(), batch_size=2):
    print(x.shape, y.shape)
