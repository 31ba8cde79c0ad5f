# dataset.py
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset, Subset


class Pictures(Dataset):
    def __init__(self, root, height, width):
        self.root, self.height, self.width = root, height, width
        self.names = [entry.name for entry in sorted(os.scandir(os.path.join(root, "images")), key=lambda e: e.name)]

    def __len__(self):
        return len(self.names)

    def array(self, folder, name, resample):
        with Image.open(os.path.join(self.root, folder, name)) as picture:
            return np.array(picture.convert("L").resize((self.width, self.height), resample), dtype=np.float32)

    def __getitem__(self, i):
        image = torch.tensor(self.array("images", self.names[i], Image.BILINEAR)) / 255
        mask = torch.tensor(self.array("masks", self.names[i], Image.NEAREST)) / 255
        return image.reshape(1, self.height, self.width), mask.reshape(1, self.height, self.width).round()


def halves(dataset, seed):
    """80/10/10 by a permutation of our own."""
    order = np.random.RandomState(seed).permutation(len(dataset)).tolist()
    a, b = round(0.8 * len(order)), round(0.9 * len(order))
    return Subset(dataset, order[:a]), Subset(dataset, order[a:b]), Subset(dataset, order[b:])
