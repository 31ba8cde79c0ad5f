import os
from PIL import Image
from torch.utils.data import Dataset

class Pairs(Dataset):
    def __init__(self):
        self.names = ["a.png", "b.png"]

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        return Image.open(os.path.join("/data/masks", self.names[index].replace(".png", "_mask.png")))
