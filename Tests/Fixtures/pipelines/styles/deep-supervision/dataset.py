# dataset.py
import os

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset


class ContrastDataset(Dataset):
    """Local contrast is equalised (CLAHE) before scaling."""

    def __init__(self, path, size):
        self.path, self.size = path, size
        self.names = sorted(os.listdir(path + "/images"))
        self.clahe_limit = 2.0

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        image = cv2.imread(f"{self.path}/images/{self.names[i]}", 0)
        mask = cv2.imread(f"{self.path}/masks/{self.names[i]}", 0)
        image = cv2.createCLAHE(clipLimit=self.clahe_limit, tileGridSize=(4, 4)).apply(image)
        image = cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_CUBIC)
        mask = cv2.resize(mask, (self.size, self.size), interpolation=cv2.INTER_NEAREST_EXACT)
        return np.float32(image[None]) / 255, np.float32(mask[None] > 100)
