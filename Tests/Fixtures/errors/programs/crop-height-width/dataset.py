import albumentations as A


def train_transform(size):
    return A.Compose([
        A.RandomResizedCrop(height=size, width=size, scale=(0.8, 1.0)),
        A.HorizontalFlip(p=0.5),
        A.Normalize(),
    ])
