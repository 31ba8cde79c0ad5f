# dataset.py
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class PairDataset(Dataset):
    """Grey images and masks of the same name in two folders."""

    def __init__(self, data_dir, size=(48, 48)):
        self.image_dir = os.path.join(data_dir, "images")
        self.mask_dir = os.path.join(data_dir, "masks")
        self.files = sorted(f for f in os.listdir(self.image_dir) if f.lower().endswith(".png"))
        self.size = size

    def __len__(self):
        return len(self.files)

    def __getitem__(self, idx):
        name = self.files[idx]
        image = Image.open(os.path.join(self.image_dir, name)).convert("L")
        mask = Image.open(os.path.join(self.mask_dir, name)).convert("L")
        image = image.resize(self.size, Image.BILINEAR)
        mask = mask.resize(self.size, Image.NEAREST)
        image = np.asarray(image, dtype=np.float32) / 255.0
        mask = (np.asarray(mask) > 127).astype(np.float32)
        return torch.from_numpy(image).unsqueeze(0), torch.from_numpy(mask).unsqueeze(0), name
