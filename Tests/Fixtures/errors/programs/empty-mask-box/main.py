import numpy as np
from torch.utils.data import DataLoader
from dataset import RoiDataset

masks = np.zeros((4, 32, 32), np.uint8)
masks[0, 4:9, 4:9] = 1
masks[1, 8:20, 8:12] = 1
for boxes in DataLoader(RoiDataset(masks), batch_size=1):
    print(boxes)
