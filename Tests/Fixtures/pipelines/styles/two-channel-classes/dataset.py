# dataset.py
import pathlib

import imageio.v2 as imageio
import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision.transforms import functional as TF
from torchvision.transforms import InterpolationMode


class ClassMapDataset(Dataset):
    """Masks are maps of class numbers, as cross entropy wants them."""

    def __init__(self, data, size):
        base = pathlib.Path(data)
        self.image_files = sorted(str(f) for f in base.joinpath("images").rglob("*.png"))
        self.mask_files = sorted(str(f) for f in base.joinpath("masks").rglob("*.png"))
        assert len(self.image_files) == len(self.mask_files)
        self.size = [size, size]

    def __len__(self):
        return len(self.image_files)

    def __getitem__(self, n):
        image = torch.from_numpy(np.asarray(imageio.imread(self.image_files[n]))).unsqueeze(0).float() / 255.0
        mask = torch.from_numpy(np.asarray(imageio.imread(self.mask_files[n]))).unsqueeze(0)
        image = TF.resize(image, self.size, antialias=False)
        mask = TF.resize(mask, self.size, interpolation=InterpolationMode.NEAREST)
        return image, (mask.squeeze(0) > 0).long()
