# dataset.py
import glob
import os

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

IMG_HEIGHT, IMG_WIDTH = 42, 54


class OpenCVDataset(Dataset):
    def __init__(self, data_root):
        self.pairs = []
        for image_path in sorted(glob.glob(os.path.join(data_root, "images", "*.png"))):
            self.pairs.append((image_path, image_path.replace(f"{os.sep}images{os.sep}", f"{os.sep}masks{os.sep}")))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image_path, mask_path = self.pairs[index]
        image = cv2.imread(image_path, cv2.IMREAD_GRAYSCALE)
        mask = cv2.imread(mask_path, cv2.IMREAD_GRAYSCALE)
        image = cv2.resize(image, (IMG_WIDTH, IMG_HEIGHT), interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, (IMG_WIDTH, IMG_HEIGHT), interpolation=cv2.INTER_NEAREST)
        sample = {
            "image": torch.from_numpy(np.expand_dims(image.astype(np.float32) / 255.0, 0)),
            "mask": torch.from_numpy(np.expand_dims((mask > 0).astype(np.float32), 0)),
            "name": os.path.basename(image_path),
        }
        return sample
