# dataset.py
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class ImageMaskDataset(Dataset):
    """Loads all pairs into memory once."""

    def __init__(self, images_dir, masks_dir, image_size):
        names = sorted(os.listdir(images_dir))
        self.names = names
        self.images = np.stack([self._load(os.path.join(images_dir, n), image_size, Image.BICUBIC) for n in names])
        self.masks = np.stack([self._load(os.path.join(masks_dir, n), image_size, Image.NEAREST) for n in names])

    @staticmethod
    def _load(path, size, how):
        with Image.open(path) as handle:
            return np.array(handle.convert("L").resize((size[1], size[0]), resample=how))

    def __len__(self):
        return self.images.shape[0]

    def __getitem__(self, i):
        x = torch.as_tensor(self.images[i], dtype=torch.float32).div(255).unsqueeze(0)
        y = torch.as_tensor(self.masks[i] >= 128, dtype=torch.float32).unsqueeze(0)
        return x, y
