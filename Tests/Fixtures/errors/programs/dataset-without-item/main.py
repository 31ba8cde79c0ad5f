from torch.utils.data import DataLoader, Dataset

class Slices(Dataset):
    def __len__(self):
        return 4

for batch in DataLoader(Slices()):
    print(batch)
