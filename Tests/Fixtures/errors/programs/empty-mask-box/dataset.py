import numpy as np
import torch
from torch.utils.data import Dataset


def bounding_box(mask):
    rows, columns = np.where(mask > 0)
    return rows.min(), rows.max(), columns.min(), columns.max()


class RoiDataset(Dataset):
    def __init__(self, masks):
        self.masks = masks

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, index):
        return torch.tensor([int(v) for v in bounding_box(self.masks[index])])
