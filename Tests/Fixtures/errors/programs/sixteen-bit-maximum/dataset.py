import os
import numpy as np
import torch
from skimage import io
from torch.utils.data import Dataset

class SixteenBit(Dataset):
    def __init__(self, folder):
        self.paths = [os.path.join(folder, n) for n in sorted(os.listdir(folder))]

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        image = torch.from_numpy(io.imread(self.paths[i]))
        image = image / image.max()
        return image[None]
