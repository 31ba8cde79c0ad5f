# dataset.py
import glob

import cv2
import numpy as np
from torch.utils.data import Dataset


class CVPairs(Dataset):
    def __init__(self, root):
        self.images = sorted(glob.glob(root + "/images/*.png"))
        self.masks = [p.replace("/images/", "/masks/") for p in self.images]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        x = cv2.resize(cv2.imread(self.images[i], 0), (40, 32)).astype(np.float32) / 255
        y = cv2.resize(cv2.imread(self.masks[i], 0), (40, 32), interpolation=cv2.INTER_NEAREST)
        return x[None], (y[None] > 0).astype(np.float32)
