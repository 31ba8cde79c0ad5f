# dataset.py
import os

import cv2
import torch
from torch.utils.data import Dataset


class EdgeDataset(Dataset):
    """Three channels: the picture, its blurred copy and its edges."""

    def __init__(self, data_dir, size=32):
        self.data_dir, self.size = data_dir, size
        self.ids = sorted(os.path.splitext(f)[0] for f in os.listdir(f"{data_dir}/images"))

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, idx):
        grey = cv2.imread(f"{self.data_dir}/images/{self.ids[idx]}.png", cv2.IMREAD_GRAYSCALE)
        mask = cv2.imread(f"{self.data_dir}/masks/{self.ids[idx]}.png", cv2.IMREAD_GRAYSCALE)
        grey = cv2.resize(grey, (self.size, self.size), interpolation=cv2.INTER_LANCZOS4)
        mask = cv2.resize(mask, (self.size, self.size), interpolation=cv2.INTER_NEAREST)
        planes = (grey, cv2.GaussianBlur(grey, (5, 5), 1.0), cv2.Canny(grey, 50, 120))
        image = torch.stack([torch.from_numpy(p) for p in planes]).float() / 255.0
        return {"inputs": {"image": image}, "target": torch.from_numpy(mask > 127).float().unsqueeze(0),
                "id": self.ids[idx]}
