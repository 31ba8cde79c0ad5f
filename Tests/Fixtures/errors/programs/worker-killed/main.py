import os
from torch.utils.data import DataLoader, Dataset


class Fatal(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        os.abort()


def main():
    loader = DataLoader(Fatal(), num_workers=1)
    # The worker dies without an exception of its own.
    for batch in loader: pass


if __name__ == "__main__":
    main()
