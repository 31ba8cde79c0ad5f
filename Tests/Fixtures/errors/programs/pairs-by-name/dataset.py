import os
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class PairDataset(Dataset):
    def __init__(self, root):
        self.image_dir, self.mask_dir = os.path.join(root, "images"), os.path.join(root, "masks")
        self.names = sorted(os.path.splitext(f)[0] for f in os.listdir(self.image_dir))
        self.masks = {os.path.splitext(f)[0]: f for f in os.listdir(self.mask_dir)}

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        name = self.names[i]
        image = np.array(Image.open(os.path.join(self.image_dir, name + ".png")), dtype=np.float32)
        mask = np.array(Image.open(os.path.join(self.mask_dir, self.masks[name])), dtype=np.float32)
        return torch.from_numpy(image / 255)[None], torch.from_numpy(mask / 255)[None]
