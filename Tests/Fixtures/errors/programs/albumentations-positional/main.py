from torch.utils.data import DataLoader
from dataset import Augmented, augmentations

loader = DataLoader(Augmented(transform=augmentations()), batch_size=2)
for images, masks in loader:
    print(images.shape, masks.shape)
