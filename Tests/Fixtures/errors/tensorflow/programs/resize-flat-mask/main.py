import os, tempfile
import numpy as np
from PIL import Image
from dataset import load_pair

root = tempfile.mkdtemp()
image, mask = os.path.join(root, "image.png"), os.path.join(root, "mask.png")
Image.fromarray(np.random.randint(0, 255, (40, 50, 3), dtype=np.uint8)).save(image)
Image.fromarray(np.zeros((40, 50), np.uint8)).save(mask)
a, b = load_pair(image, mask)
print(a.shape, b.shape)
