import os
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

class ScanDataset(Dataset):
    def __init__(self, folder):
        self.files = sorted(os.path.join(folder, f) for f in os.listdir(folder))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        image = np.array(Image.open(self.files[i]))
        image -= image.mean()
        image = image / (image.std() + 1e-6)
        return torch.from_numpy(image).float()[None]
