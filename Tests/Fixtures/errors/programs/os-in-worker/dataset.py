import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class PolypDataset(Dataset):
    def __init__(self, root, names):
        self.root = root
        self.names = names

    def __len__(self):
        return len(self.names)

    def load(self, folder, name, mode):
        path = os.path.join(self.root, folder, name)
        return np.array(Image.open(path).convert(mode))

    def __getitem__(self, index):
        image = self.load("images", self.names[index], "RGB")
        mask = self.load("masks", self.names[index], "L")
        return torch.from_numpy(image).permute(2, 0, 1) / 255, torch.from_numpy(mask) / 255
