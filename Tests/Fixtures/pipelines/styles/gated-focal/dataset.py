# dataset.py
import os
import random

import numpy as np
import torch
import torchvision.transforms.functional as TF
from PIL import Image
from torch.utils.data import Dataset


class PolypLikeDataset(Dataset):
    def __init__(self, root, indices=None, size=(48, 40)):
        self.root = root
        all_names = sorted(os.listdir(os.path.join(root, "images")))
        self.names = all_names if indices is None else [all_names[i] for i in indices]
        self.size = size

    def __len__(self):
        return len(self.names)

    def load(self, sub, name):
        return Image.open(os.path.join(self.root, sub, name)).convert("L")

    def __getitem__(self, i):
        img = TF.resize(self.load("images", self.names[i]), self.size, TF.InterpolationMode.BILINEAR)
        msk = TF.resize(self.load("masks", self.names[i]), self.size, TF.InterpolationMode.NEAREST)
        img = TF.normalize(TF.to_tensor(img), mean=[0.5], std=[0.5])
        msk = torch.from_numpy((np.array(msk) > 0).astype(np.float32))[None]
        return {"x": img, "y": msk}
