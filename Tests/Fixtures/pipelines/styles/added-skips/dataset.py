# dataset.py
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class AddedDataset(Dataset):
    def __init__(self, root_dir, indices, image_shape):
        names = sorted(os.listdir(os.path.join(root_dir, "images")))
        self.filenames = [names[i] for i in indices]
        self.root_dir = root_dir
        self.image_shape = image_shape

    def __len__(self):
        return len(self.filenames)

    def __getitem__(self, idx):
        name = self.filenames[idx]
        image = np.array(Image.open(os.path.join(self.root_dir, "images", name)).convert("L"))
        mask = np.array(Image.open(os.path.join(self.root_dir, "masks", name)).convert("L"))
        # Plain indexing in place of a library: every pixel takes its nearest neighbour.
        rows = np.linspace(0, image.shape[0] - 1, self.image_shape[0]).round().astype(int)
        columns = np.linspace(0, image.shape[1] - 1, self.image_shape[1]).round().astype(int)
        image, mask = image[rows][:, columns], mask[rows][:, columns]
        return (torch.FloatTensor(image[np.newaxis] / 127.5 - 1.0), torch.FloatTensor(mask[np.newaxis] > 127))
