import os

import torch
from PIL import Image
from torch.utils.data import Dataset
from torchvision import transforms


class SegmentationDataset(Dataset):
    def __init__(self, root, size=64):
        self.image_dir = os.path.join(root, "images")
        self.mask_dir = os.path.join(root, "masks")
        self.names = sorted(n for n in os.listdir(self.image_dir) if n.endswith(".png"))
        self.image_transform = transforms.Compose([transforms.Resize((size, size)), transforms.ColorJitter(brightness=0.3), transforms.ToTensor()])
        self.mask_transform = transforms.Compose([
            transforms.Resize((size, size), interpolation=transforms.InterpolationMode.NEAREST),
            transforms.ToTensor(),
        ])

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        name = self.names[index]
        image = Image.open(os.path.join(self.image_dir, name)).convert("L")
        mask = Image.open(os.path.join(self.mask_dir, name)).convert("L")
        return self.image_transform(image), (self.mask_transform(mask) > 0.5).float(), name
