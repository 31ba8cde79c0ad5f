import albumentations as A
import numpy as np
from PIL import Image
from torch.utils.data import Dataset

transform = A.Compose([A.HorizontalFlip(p=0.5), A.RandomRotate90(p=0.5)])

class PairDataset(Dataset):
    def __init__(self, pairs):
        self.pairs = pairs

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        image = np.array(Image.open(self.pairs[i][0]).convert("L").resize((128, 128)))
        mask = np.array(Image.open(self.pairs[i][1]).convert("L"))
        out = transform(image=image, mask=mask)
        return out["image"], out["mask"]
