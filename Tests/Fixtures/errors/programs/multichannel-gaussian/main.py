import numpy as np
from skimage import filters
from torch.utils.data import DataLoader


class Smoothed:
    def __init__(self, images, sigma=1.0):
        self.images, self.sigma = images, sigma

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return filters.gaussian(self.images[index], sigma=self.sigma, multichannel=True)


if __name__ == "__main__":
    loader = DataLoader(Smoothed(np.random.rand(4, 16, 16, 3)), batch_size=2, num_workers=2)
    print(sum(batch.mean().item() for batch in loader))
