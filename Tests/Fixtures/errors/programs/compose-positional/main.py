import albumentations as A
import numpy as np
from torch.utils.data import DataLoader
from dataset import ArrayDataset

images = np.zeros((4, 20, 20, 3), np.uint8)
masks = np.zeros((4, 20, 20), np.uint8)
transform = A.Compose([A.Resize(16, 16), A.VerticalFlip(p=0.5)])
for x, y in DataLoader(ArrayDataset(images, masks, transform), batch_size=2):
    print(x.shape, y.shape)
