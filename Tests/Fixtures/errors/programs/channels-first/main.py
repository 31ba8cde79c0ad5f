import os
import tempfile
import cv2
import numpy as np
from dataset import CellDataset

folder = tempfile.mkdtemp()
images, masks = [], []
for i in range(3):
    picture = np.random.default_rng(i).integers(0, 256, (40, 40), dtype=np.uint8)
    for kind, paths in (("image", images), ("mask", masks)):
        path = os.path.join(folder, f"{kind}_{i}.png")
        cv2.imwrite(path, picture)
        paths.append(path)
ds = CellDataset(images, masks)
print(f"Found {len(ds)} samples")
x, y = ds[0]
print(x.shape, y.shape)
