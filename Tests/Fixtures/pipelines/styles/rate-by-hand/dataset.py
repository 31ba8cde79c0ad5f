# dataset.py
import os

import numpy as np
import torch
from PIL import Image


class SimpleData(torch.utils.data.Dataset):
    def __init__(self, where):
        self.where, self.names = where, sorted(os.listdir(where + "/images"))

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        x = np.asarray(Image.open(f"{self.where}/images/{self.names[i]}").convert("L").resize((32, 32)), "float32")
        y = np.asarray(Image.open(f"{self.where}/masks/{self.names[i]}").resize((32, 32), Image.NEAREST), "float32")
        return torch.from_numpy(x[None] / 255), torch.from_numpy(y[None] / 255)
