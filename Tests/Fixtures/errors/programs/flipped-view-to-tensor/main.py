import numpy as np
from dataset import FlipDataset

images = np.random.rand(4, 16, 16).astype(np.float32)
data = FlipDataset(images, (images > 0.5).astype(np.float32))
for image, mask in (data[i] for i in range(len(data))):
    print(image.shape, mask.shape)
