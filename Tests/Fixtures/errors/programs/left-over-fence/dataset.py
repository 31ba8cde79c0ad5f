import torch
from torch.utils.data import Dataset


class Blobs(Dataset):
    def __init__(self, n=4):
        self.x = torch.rand(n, 1, 16, 16)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], (self.x[i] > 0.5).float()
```
