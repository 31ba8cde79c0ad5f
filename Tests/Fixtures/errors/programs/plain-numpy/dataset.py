import numpy as np
import torch
from torch.utils.data import Dataset


class NumpyDataset(Dataset):
    def __init__(self, count=6):
        self.raw = np.random.default_rng(1).integers(0, 256, (count, 32, 32, 3)).astype(np.uint8)

    def __len__(self):
        return len(self.raw)

    def __getitem__(self, i):
        image = self.raw[i] / 255.0
        mask = (image.mean(axis=2) > 0.5) * 1.0
        return torch.from_numpy(image.transpose(2, 0, 1).copy()), torch.from_numpy(mask).unsqueeze(0)
