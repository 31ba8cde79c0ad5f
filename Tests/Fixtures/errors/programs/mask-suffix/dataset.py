import os
import torch
from PIL import Image
from torch.utils.data import Dataset
from torchvision import transforms


class LungDataset(Dataset):
    def __init__(self, data_dir, size=64):
        self.image_dir = os.path.join(data_dir, "images")
        self.mask_dir = os.path.join(data_dir, "masks")
        self.files = sorted(f for f in os.listdir(self.image_dir) if f.endswith(".png"))
        self.tf = transforms.Compose([transforms.Resize((size, size)), transforms.ToTensor()])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        name = self.files[i]
        image = self.tf(Image.open(os.path.join(self.image_dir, name)).convert("L"))
        mask = Image.open(os.path.join(self.mask_dir, name.replace(".png", "_mask.png")))
        return image, (self.tf(mask.convert("L")) > 0.5).float()
