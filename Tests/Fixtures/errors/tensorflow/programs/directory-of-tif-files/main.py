import os, tempfile
import numpy as np
from PIL import Image
from dataset import make_dataset

root = tempfile.mkdtemp()
for name in ("images", "masks"):
    os.makedirs(os.path.join(root, name))
    for i in range(3):
        Image.fromarray(np.zeros((32, 32), np.uint8)).save(os.path.join(root, name, f"{i}.tif"))
images = make_dataset(os.path.join(root, "images"))
print(len(images))
