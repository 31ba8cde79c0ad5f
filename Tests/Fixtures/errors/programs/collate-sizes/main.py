from torch.utils.data import DataLoader
from dataset import Slices

for images, masks in DataLoader(Slices(), batch_size=2):
    print(images.shape)
