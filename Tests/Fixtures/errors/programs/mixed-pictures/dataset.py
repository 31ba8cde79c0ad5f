from pathlib import Path
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class ImageMaskDataset(Dataset):
    def __init__(self, root):
        self.images = sorted(Path(root, "images").glob("*.png"))
        self.masks = sorted(Path(root, "masks").glob("*.png"))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, idx):
        image = np.array(Image.open(self.images[idx]).convert("L"), dtype=np.float32) / 255.0
        mask = (np.array(Image.open(self.masks[idx]).convert("L")) > 127).astype(np.float32)
        return torch.from_numpy(image)[None], torch.from_numpy(mask)[None]
