import os
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

class FolderDataset(Dataset):
    def __init__(self, root):
        self.root = root
        self.names = sorted(os.listdir(root))

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        image = Image.open(os.path.join(self.root, self.names[i])).convert("L")
        return torch.from_numpy(np.asarray(image).copy()).float()[None] / 255
