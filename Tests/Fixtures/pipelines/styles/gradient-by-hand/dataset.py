# dataset.py
import os

import numpy as np
import torch
from skimage.io import imread
from skimage.transform import resize
from torch.utils.data import Dataset


class ResizedOnce(Dataset):
    def __init__(self, root, shape=(32, 32)):
        self.names = sorted(os.listdir(os.path.join(root, "images")))
        self.items = []
        for name in self.names:
            image = resize(imread(os.path.join(root, "images", name), as_gray=True) / 255.0, shape)
            mask = resize(imread(os.path.join(root, "masks", name)) > 0, shape, order=0)
            self.items.append((torch.from_numpy(image.astype(np.float32))[None],
                               torch.from_numpy(mask.astype(np.float32))[None]))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]
