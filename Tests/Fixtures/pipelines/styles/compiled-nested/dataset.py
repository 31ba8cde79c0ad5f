# dataset.py
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps


class NestedData(torch.utils.data.Dataset):
    """Keeps the aspect of an image: pads to a square, then shrinks."""

    def __init__(self, root, side):
        self.files = sorted(Path(root, "images").glob("*.png"))
        self.masks = Path(root, "masks")
        self.side = side

    def __len__(self):
        return len(self.files)

    def square(self, picture, how):
        edge = max(picture.size)
        return ImageOps.pad(picture, (edge, edge)).resize((self.side, self.side), how)

    def __getitem__(self, i):
        image = self.square(Image.open(self.files[i]).convert("L"), Image.Resampling.BILINEAR)
        mask = self.square(Image.open(self.masks / self.files[i].name).convert("L"), Image.Resampling.NEAREST)
        return {
            "pixel_values": torch.from_numpy(np.array(image)).unsqueeze(0) / 255.0,
            "labels": torch.from_numpy(np.array(mask)).unsqueeze(0).gt(127).float(),
            "stem": self.files[i].stem,
        }
