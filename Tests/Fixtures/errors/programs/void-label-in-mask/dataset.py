import numpy as np
import torch
from torch.utils.data import Dataset

class PngLikeDataset(Dataset):
    def __init__(self, n=4):
        rng = np.random.default_rng(3)
        self.masks = (rng.random((n, 16, 16)) > 0.5).astype(np.uint8) * 255
        self.images = rng.random((n, 1, 16, 16), dtype=np.float32)

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, i):
        return torch.from_numpy(self.images[i]), torch.from_numpy(self.masks[i]).long()
