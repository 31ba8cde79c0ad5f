import time
import torch
from torch.utils.data import DataLoader, Dataset


class WholeSlides(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        time.sleep(4)
        return torch.rand(3, 16, 16)


if __name__ == "__main__":
    loader = DataLoader(WholeSlides(), batch_size=2, num_workers=1, timeout=1)
    for step, images in enumerate(loader):
        print(step, images.shape)
