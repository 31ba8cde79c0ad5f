import os

import albumentations as A
import numpy as np
from albumentations.pytorch import ToTensorV2
from skimage import io
from torch.utils.data import Dataset


class Slices(Dataset):
    def __init__(self, root):
        self.items = [(os.path.join(root, "images", n), os.path.join(root, "masks", n))
                      for n in sorted(os.listdir(os.path.join(root, "images")))]
        self.transform = A.Compose([A.Resize(64, 64), A.Normalize(mean=(0.5,), std=(0.5,)), ToTensorV2()])

    def __len__(self):
        return len(self.items)

    def __getitem__(self, k):
        image, mask = (io.imread(p) for p in self.items[k])
        made = self.transform(image=image[..., None], mask=(mask > 0).astype(np.int64))
        return made["image"], made["mask"].long()
