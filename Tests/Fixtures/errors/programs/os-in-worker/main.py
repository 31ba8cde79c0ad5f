from torch.utils.data import DataLoader
from dataset import PolypDataset

if __name__ == "__main__":
    loader = DataLoader(PolypDataset("data", ["a.png", "b.png"]), batch_size=2, num_workers=2)
    for images, masks in loader:
        print(images.shape, masks.shape)
