import numpy as np
from dataset import train_transform

transform = train_transform(64)
result = transform(image=np.zeros((96, 96, 3), np.uint8), mask=np.zeros((96, 96), np.uint8))
print(result["image"].shape)
