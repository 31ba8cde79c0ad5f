# dataset.py
import os

import numpy as np
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import transforms


class Pairs(Dataset):
    def __init__(self, root, size):
        self.root, self.ids = root, sorted(n[:-4] for n in os.listdir(os.path.join(root, "images")))
        self.resize_image = transforms.Resize(size, antialias=True)
        self.resize_mask = transforms.Resize(size, interpolation=transforms.InterpolationMode.NEAREST_EXACT)

    def __len__(self):
        return len(self.ids)

    def _tensor(self, kind, name):
        with Image.open(os.path.join(self.root, kind, name + ".png")) as f:
            return transforms.functional.pil_to_tensor(f.convert("L")).float() / 255

    def __getitem__(self, i):
        image = self.resize_image(self._tensor("images", self.ids[i]))
        mask = self.resize_mask(self._tensor("masks", self.ids[i]))
        return image, (mask > 0.5).float(), self.ids[i]


class DataModule:
    """Data apart from training: setup makes the parts, three methods make their loaders."""

    def __init__(self, root, size=(40, 40), batch_size=4, seed=3):
        self.root, self.size, self.batch_size, self.seed = root, size, batch_size, seed

    def setup(self):
        self.full = Pairs(self.root, self.size)
        train, rest = train_test_split(np.arange(len(self.full)).tolist(), test_size=0.2, random_state=self.seed)
        val, test = train_test_split(rest, test_size=0.5, random_state=self.seed)
        self.parts = {"train": Subset(self.full, train), "val": Subset(self.full, val), "test": Subset(self.full, test)}

    def _loader(self, part):
        return DataLoader(self.parts[part], self.batch_size, shuffle=part == "train", num_workers=1,
                          persistent_workers=True)

    def train_dataloader(self):
        return self._loader("train")

    def val_dataloader(self):
        return self._loader("val")

    def test_dataloader(self):
        return self._loader("test")
