from torch.utils.data import DataLoader
from dataset import Pairs

if __name__ == "__main__":
    for batch in DataLoader(Pairs(), batch_size=2, num_workers=1):
        print(batch)
