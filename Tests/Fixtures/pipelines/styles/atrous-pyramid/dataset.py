# dataset.py
import os

import numpy as np
import torch
from PIL import Image


def load_all(root, side):
    """Two arrays for everything: n 1 side side."""
    names = sorted(os.listdir(os.path.join(root, "images")))
    images = np.zeros((len(names), 1, side, side), np.float32)
    masks = np.zeros_like(images)
    for k, name in enumerate(names):
        image = Image.open(os.path.join(root, "images", name)).convert("L").resize((side, side), Image.Resampling.BOX)
        mask = Image.open(os.path.join(root, "masks", name)).convert("1").resize((side, side))
        images[k, 0], masks[k, 0] = np.asarray(image) / 255.0, np.asarray(mask)
    return names, torch.from_numpy(images), torch.from_numpy(masks)


class ArrayDataset(torch.utils.data.Dataset):
    def __init__(self, names, images, masks):
        self.names, self.images, self.masks = names, images, masks

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        return self.images[i], self.masks[i]
