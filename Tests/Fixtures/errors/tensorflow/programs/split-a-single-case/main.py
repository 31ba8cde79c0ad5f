import os, tempfile
import numpy as np
from PIL import Image
from dataset import split

root = tempfile.mkdtemp()
blank = Image.fromarray(np.zeros((16, 16), np.uint8))
for name in ("p1_image.png", "p1_mask.png", "p2_img.png", "p2_mask.png"):
    blank.save(os.path.join(root, name))
train_x, val_x, train_y, val_y = split(root)
print(len(train_x), len(val_x))
