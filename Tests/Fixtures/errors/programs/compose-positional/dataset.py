from torch.utils.data import Dataset


class ArrayDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images, self.masks, self.transform = images, masks, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image, mask = self.images[index], self.masks[index]
        if self.transform:
            augmented = self.transform(image, mask)
            image, mask = augmented["image"], augmented["mask"]
        return image, mask
