import random
import numpy as np
import torch
from torch.utils.data import Dataset

class FlipDataset(Dataset):
    def __init__(self, images, masks, flip=1.0):
        self.images, self.masks, self.flip = images, masks, flip

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image, mask = self.images[i], self.masks[i]
        if random.random() < self.flip:
            image, mask = np.fliplr(image), np.fliplr(mask)
        image = torch.from_numpy(image).unsqueeze(0)
        mask = torch.from_numpy(mask).unsqueeze(0)
        return image, mask
