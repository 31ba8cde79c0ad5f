# dataset.py
import os

import albumentations as A
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class UltrasoundDataset(Dataset):
    """The longest side is brought to the size, the rest is padded."""

    def __init__(self, root, size=48):
        self.images = sorted(os.path.join(root, "images", n) for n in os.listdir(os.path.join(root, "images")))
        self.masks = sorted(os.path.join(root, "masks", n) for n in os.listdir(os.path.join(root, "masks")))
        self.transform = A.Compose([
            A.LongestMaxSize(max_size=size),
            A.PadIfNeeded(min_height=size, min_width=size, border_mode=0),
        ])

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = np.array(Image.open(self.images[index]).convert("L"))
        mask = np.array(Image.open(self.masks[index]).convert("L"))
        augmented = self.transform(image=image, mask=mask)
        image = torch.from_numpy(augmented["image"]).float().unsqueeze(0) / 255.0
        mask = torch.from_numpy(augmented["mask"]).unsqueeze(0)
        return image, torch.where(mask > 127, 1.0, 0.0)
