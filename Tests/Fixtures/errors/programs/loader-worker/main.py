import torch
from torch.utils.data import DataLoader, Dataset


class Uneven(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return torch.zeros(1, 8 + index)


def main():
    loader = DataLoader(Uneven(), batch_size=2, num_workers=1)
    # The worker fails in collating: no line of ours is in its own traceback.
    batches = iter(loader)

    next(batches)


if __name__ == "__main__":
    main()
