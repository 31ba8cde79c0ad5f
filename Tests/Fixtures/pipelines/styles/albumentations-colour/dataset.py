# dataset.py
import os

import albumentations as A
import cv2
from albumentations.pytorch import ToTensorV2
from torch.utils.data import Dataset

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def get_transform(size):
    return A.Compose([
        A.Resize(size, size, interpolation=cv2.INTER_LINEAR),
        A.Normalize(mean=MEAN, std=STD),
        ToTensorV2(),
    ])


class ColourDataset(Dataset):
    def __init__(self, data_dir, transform):
        self.data_dir = data_dir
        self.transform = transform
        self.image_files = sorted(os.listdir(os.path.join(data_dir, "images")))

    def __len__(self):
        return len(self.image_files)

    def __getitem__(self, idx):
        file_name = self.image_files[idx]
        image = cv2.cvtColor(cv2.imread(os.path.join(self.data_dir, "images", file_name)), cv2.COLOR_BGR2RGB)
        mask = cv2.imread(os.path.join(self.data_dir, "masks", file_name), 0)
        out = self.transform(image=image, mask=(mask > 127).astype("float32"))
        return out["image"], out["mask"].unsqueeze(0)
