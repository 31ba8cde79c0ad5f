import glob
import os

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset


class PairDataset(Dataset):
    """Grey images and binary masks, 50 x 50, as dictionaries."""

    def __init__(self, folder, size=50):
        self.paths = sorted(glob.glob(os.path.join(folder, "images", "*.png")))
        self.size = size

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        path = self.paths[i]
        image = cv2.imread(path, cv2.IMREAD_GRAYSCALE).astype(np.float32)
        mask = cv2.imread(path.replace("images", "masks"), cv2.IMREAD_GRAYSCALE)
        image = cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_LINEAR) / 255.0
        mask = cv2.resize(mask, (self.size, self.size), interpolation=cv2.INTER_NEAREST)
        return {"image": torch.from_numpy(image).unsqueeze(0), "mask": torch.from_numpy((mask > 127).astype(np.float32)),
                "name": os.path.basename(path)}
