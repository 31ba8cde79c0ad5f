import os
from torch.utils.data import Dataset


class LungDataset(Dataset):
    def __init__(self, root):
        self.images = sorted(os.listdir(root + "images"))
        self.masks = sorted(os.listdir(root + "masks"))

    def __len__(self):
        return len(self.images)
