import numpy as np
import torch
from torch.utils.data import Dataset

class SliceDataset(Dataset):
    """Slices keep their native size."""
    def __init__(self):
        self.sizes = [(64, 64), (64, 48), (48, 48), (32, 48)]

    def __len__(self):
        return len(self.sizes)

    def __getitem__(self, i):
        image = np.random.rand(*self.sizes[i]).astype(np.float32)
        mask = (image > 0.5).astype(np.float32)
        return torch.from_numpy(image)[None], torch.from_numpy(mask)[None]
