import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class PolypDataset(Dataset):
    def __init__(self, pairs, size=64):
        self.pairs, self.size = pairs, size

    def __len__(self):
        return len(self.pairs)

    def _read(self, path, resample):
        img = Image.open(path).convert("L").resize((self.size, self.size), resample)
        return torch.from_numpy(np.array(img, dtype=np.float32)).unsqueeze(0)

    def __getitem__(self, i):
        image, mask = self.pairs[i]
        return self._read(image, Image.BILINEAR) / 255.0, self._read(mask, Image.NEAREST)
