import numpy as np
from dataset import get_transforms

transform = get_transforms(64)
sample = transform(image=np.zeros((80, 80, 3), np.uint8), mask=np.zeros((80, 80), np.uint8))
print(sample["image"].shape, sample["mask"].shape)
