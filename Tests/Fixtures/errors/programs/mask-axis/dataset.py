import numpy as np
import torch
from torch.utils.data import Dataset


class SegDataset(Dataset):
    def __init__(self, n=8, size=32):
        rng = np.random.default_rng(0)
        self.images = rng.random((n, size, size)).astype(np.float32)
        self.masks = (self.images > 0.6).astype(np.float32)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = torch.from_numpy(self.images[i]).unsqueeze(0)
        mask = torch.from_numpy(self.masks[i])
        return image, mask
