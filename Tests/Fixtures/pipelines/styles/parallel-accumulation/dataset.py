# dataset.py
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class DualFolderDataset(Dataset):
    """Image and mask folders are matched by name; a pair that lacks one of the two is left out."""

    def __init__(self, image_folder, mask_folder, size, mean=0.5, std=0.25):
        common = set(os.listdir(image_folder)) & set(os.listdir(mask_folder))
        self.names = sorted(n for n in common if n.endswith(".png"))
        self.image_folder, self.mask_folder = image_folder, mask_folder
        self.size, self.mean, self.std = size, mean, std

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        with open(os.path.join(self.image_folder, self.names[index]), "rb") as f:
            image = Image.open(f).convert("RGB").resize((self.size, self.size), Image.BILINEAR)
        with open(os.path.join(self.mask_folder, self.names[index]), "rb") as f:
            mask = Image.open(f).convert("L").resize((self.size, self.size), Image.NEAREST)
        image = (np.asarray(image, np.float32) / 255.0 - self.mean) / self.std
        mask = np.asarray(mask, np.float32) / 255.0
        return torch.from_numpy(image.transpose(2, 0, 1).copy()), torch.from_numpy(np.ascontiguousarray(mask))[None]


def collate(samples):
    images, masks = zip(*samples)
    return torch.stack(images), torch.stack(masks)
