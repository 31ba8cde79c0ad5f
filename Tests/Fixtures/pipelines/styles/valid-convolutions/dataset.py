# dataset.py
import os

import torch
from skimage import io, transform
from torch.utils.data import Dataset


class SkimageSegmentation(Dataset):
    """Reads with scikit-image; `items` is a list of stems."""

    def __init__(self, folder, shape=(60, 60)):
        self.folder, self.shape = folder, shape
        self.items = sorted(os.path.splitext(n)[0] for n in os.listdir(os.path.join(folder, "images")))

    def __len__(self):
        return len(self.items)

    def _read(self, kind, i):
        return io.imread(os.path.join(self.folder, kind, self.items[i] + ".png"), as_gray=True)

    def __getitem__(self, i):
        image = transform.resize(self._read("images", i), self.shape, order=1, anti_aliasing=True, preserve_range=True)
        mask = transform.resize(self._read("masks", i), self.shape, order=0, anti_aliasing=False, preserve_range=True)
        x = torch.tensor(image, dtype=torch.float32)[None] / 255.0
        y = (torch.tensor(mask, dtype=torch.float32)[None] > 127.5).to(torch.float32)
        return x, y
