import glob, os
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

class ImageDataset(Dataset):
    def __init__(self, data_dir):
        self.images = sorted(glob.glob(os.path.join(data_dir, "*")))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        with Image.open(self.images[i]) as image:
            return torch.from_numpy(np.array(image.convert("L"))).float()[None]
