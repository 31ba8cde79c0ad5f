import cv2
import numpy as np
import torch
from torch.utils.data import Dataset


class CellDataset(Dataset):
    def __init__(self, image_paths, mask_paths, size=(64, 64)):
        self.image_paths, self.mask_paths, self.size = image_paths, mask_paths, size

    def __len__(self):
        return len(self.image_paths)

    def __getitem__(self, index):
        image = cv2.imread(self.image_paths[index], cv2.IMREAD_GRAYSCALE)
        image = cv2.resize(image, self.size).astype(np.float32) / 255.0
        mask = cv2.imread(self.mask_paths[index], cv2.IMREAD_GRAYSCALE)
        mask = cv2.resize(mask, self.size, interpolation=cv2.INTER_NEAREST)
        mask = (mask > 0).astype(np.float32)[np.newaxis]
        image = np.transpose(image, (2, 0, 1))  # HWC -> CHW
        return torch.from_numpy(image), torch.from_numpy(mask)
