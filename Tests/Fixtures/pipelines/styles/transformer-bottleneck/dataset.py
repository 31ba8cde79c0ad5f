# dataset.py
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class LetterDataset(Dataset):
    def __init__(self, base, names, size=32):
        self.base, self.names, self.size = base, names, size

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        def read(folder, how):
            im = Image.open(os.path.join(self.base, folder, self.names[i])).convert("L")
            return torch.from_numpy(np.array(im.resize((self.size, self.size), how)))

        x = read("images", Image.HAMMING).float()[None] / 255.0
        y = (read("masks", Image.NEAREST) != 0).to(torch.float32)[None]
        return (x, y), self.names[i]
