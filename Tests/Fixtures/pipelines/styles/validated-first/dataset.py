# dataset.py
import os
from typing import Callable, Optional

import torch
from torch.utils.data import Dataset
from torchvision.datasets.folder import default_loader
from torchvision.transforms import v2
from torchvision import tv_tensors
from PIL import Image


class JointTransformDataset(Dataset):
    """Image and mask go through one transform, which knows masks by their type."""

    def __init__(self, root: str, transform: Optional[Callable] = None):
        self.root = root
        self.transform = transform
        self.samples = [(os.path.join(root, "images", n), os.path.join(root, "masks", n))
                        for n in sorted(os.listdir(os.path.join(root, "images")))]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, k):
        image_path, mask_path = self.samples[k]
        image = tv_tensors.Image(default_loader(image_path))
        mask = tv_tensors.Mask(v2.functional.pil_to_tensor(Image.open(mask_path).convert("L")))
        if self.transform is not None:
            image, mask = self.transform(image, mask)
        return image.as_subclass(torch.Tensor), (mask.as_subclass(torch.Tensor) > 0).float()


def default_transform(size):
    return v2.Compose([v2.Resize(size), v2.Grayscale(), v2.ToDtype({tv_tensors.Image: torch.float32, "others": None},
                                                                   scale=True)])
