# dataset.py
import os

import torch
from torch.utils.data import Dataset
from torchvision import transforms as T
from PIL import Image


class Pairs(Dataset):
    to_tensor = T.Compose([T.Grayscale(), T.Resize((28, 36)), T.ToTensor()])
    to_mask = T.Compose([T.Resize((28, 36), T.InterpolationMode.NEAREST), T.PILToTensor()])

    def __init__(self, root):
        self.files = [(os.path.join(root, "images", f), os.path.join(root, "masks", f))
                      for f in sorted(os.listdir(os.path.join(root, "images")))]

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        image, mask = map(Image.open, self.files[i])
        return self.to_tensor(image), (self.to_mask(mask)[:1] > 0).to(torch.float32)
