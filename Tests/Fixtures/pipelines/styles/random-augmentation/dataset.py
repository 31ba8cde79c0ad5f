# dataset.py
import os

import albumentations as A
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class AugmentedDataset(Dataset):
    """Augments only where it is told to, so that one class serves training and the rest."""

    def __init__(self, root, ids, augment):
        self.root, self.ids = root, ids
        steps = [A.Resize(32, 32)]
        if augment:
            steps += [A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5), A.RandomBrightnessContrast(p=0.3)]
        self.transform = A.Compose(steps)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        read = lambda folder: np.array(Image.open(os.path.join(self.root, folder, self.ids[i])).convert("L"))
        out = self.transform(image=read("images"), mask=read("masks"))
        return (torch.tensor(out["image"], dtype=torch.float32)[None] / 255,
                torch.tensor(out["mask"] > 127, dtype=torch.float32)[None])
