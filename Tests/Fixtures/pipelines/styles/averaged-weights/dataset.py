# dataset.py
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import Dataset
from torchvision.transforms.functional import pil_to_tensor, resize


class AveragedData(Dataset):
    def __init__(self, folder):
        self.paths = sorted(Path(folder).joinpath("images").glob("*.png"))

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        path = self.paths[i]
        image = pil_to_tensor(Image.open(path).convert("L").resize((32, 32)))
        mask = pil_to_tensor(Image.open(path.parent.parent / "masks" / path.name).convert("L").resize((32, 32), 0))
        return image.float() / 255, (mask > 127).float()
