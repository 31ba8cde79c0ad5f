import os
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class SkinDataset(Dataset):
    def __init__(self, folder):
        self.paths = [os.path.join(folder, n) for n in sorted(os.listdir(folder))]

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        image = np.array(Image.open(self.paths[index]).convert("RGB"))
        image /= 255.0
        return torch.from_numpy(image.transpose(2, 0, 1))
