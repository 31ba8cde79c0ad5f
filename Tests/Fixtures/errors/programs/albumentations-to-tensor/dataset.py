import albumentations as A
from albumentations.pytorch import ToTensor


def get_transforms(size):
    return A.Compose([A.Resize(size, size), A.HorizontalFlip(p=0.5), A.Normalize(), ToTensor()])
