import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class Preloaded(Dataset):
    """Everything is read once, when the data set is made."""

    def __init__(self, root, size=48):
        files = sorted(os.listdir(os.path.join(root, "images")))
        self.image_files = [os.path.join(root, "images", f) for f in files]
        self.images, self.masks = [], []
        for f in files:
            i = Image.open(os.path.join(root, "images", f)).convert("L").resize((size, size))
            m = Image.open(os.path.join(root, "masks", f)).convert("L").resize((size, size), Image.NEAREST)
            self.images.append(torch.from_numpy(np.array(i, dtype=np.float32) / 255)[None])
            self.masks.append(torch.from_numpy(np.array(m) > 127)[None])

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.masks[i]
