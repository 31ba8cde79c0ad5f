import os, tempfile
import numpy as np
from PIL import Image
from dataset import PairDataset

root = tempfile.mkdtemp()
pairs = []
for i in range(3):
    a, b = os.path.join(root, f"img{i}.png"), os.path.join(root, f"mask{i}.png")
    Image.fromarray(np.random.randint(0, 255, (96, 96), dtype=np.uint8)).save(a)
    Image.fromarray((np.random.rand(96, 96) > 0.5).astype(np.uint8) * 255).save(b)
    pairs.append((a, b))
for image, mask in PairDataset(pairs):
    print(image.shape, mask.shape)
