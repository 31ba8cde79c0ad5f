# dataset.py
from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.io import ImageReadMode, read_image
from torchvision.transforms import v2

SUFFIX = "_mask"


def find_pairs(root: Path) -> list[tuple[Path, Path]]:
    """Pairs `images/NAME.png` with `masks/NAME_mask.png`."""
    pairs = []
    for image in sorted((root / "images").iterdir()):
        mask = root / "masks" / f"{image.stem}{SUFFIX}.png"
        if mask.exists():
            pairs.append((image, mask))
    return pairs


class TensorDataset(Dataset):
    def __init__(self, root: Path, side: int):
        self.pairs = find_pairs(root)
        self.image_transform = v2.Compose([
            v2.Resize((side, side), antialias=True),
            v2.ToDtype(torch.float32, scale=True),
        ])
        self.mask_transform = v2.Resize((side, side), interpolation=v2.InterpolationMode.NEAREST)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image_path, mask_path = self.pairs[index]
        image = self.image_transform(read_image(str(image_path), ImageReadMode.RGB))
        mask = self.mask_transform(read_image(str(mask_path), ImageReadMode.GRAY))
        return image, (mask > 127).float()
