import pandas as pd
from torch.utils.data import Dataset


class CsvDataset(Dataset):
    def __init__(self, path):
        self.table = pd.read_csv(path)

    def __len__(self):
        return len(self.table)

    def __getitem__(self, index):
        row = self.table.iloc[index]
        return row["image"], row["mask_path"]
