import os
from PIL import Image
from torch.utils.data import Dataset


class RetinaDataset(Dataset):
    def __init__(self, folder, transform=None):
        self.paths = [os.path.join(folder, n) for n in sorted(os.listdir(folder))]
        self.transform = transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        image = Image.open(self.paths[index]).convert("RGB")
        if self.transform is not None:
            image = self.transform(image)
        return {"image": image, "name": os.path.basename(self.paths[index])}
