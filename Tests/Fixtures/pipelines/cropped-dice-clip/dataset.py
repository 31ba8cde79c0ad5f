from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class BrainDataset(Dataset):
    def __init__(self, root, names):
        self.root, self.names = Path(root), names

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        name = self.names[index]
        image = Image.open(self.root / "images" / name).convert("RGB").resize((56, 56), Image.BILINEAR)
        mask = Image.open(self.root / "masks" / name).convert("L").resize((56, 56), Image.NEAREST)
        x = torch.from_numpy(np.asarray(image, dtype=np.float32).transpose(2, 0, 1).copy() / 255.0)
        y = torch.from_numpy((np.asarray(mask) > 0).astype(np.uint8))
        return x, y
