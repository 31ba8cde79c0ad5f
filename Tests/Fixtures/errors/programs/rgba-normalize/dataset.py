import os
import torch
from PIL import Image
from torch.utils.data import Dataset
from torchvision.transforms import v2


class ScanDataset(Dataset):
    def __init__(self, folder):
        self.paths = [os.path.join(folder, n) for n in sorted(os.listdir(folder))]
        self.transform = v2.Compose([
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
        ])

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return self.transform(Image.open(self.paths[index]))
