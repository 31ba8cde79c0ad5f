import os
import tempfile
import numpy as np
from PIL import Image
from dataset import load_folder

data = tempfile.mkdtemp()
for part in ("images", "masks"):
    os.makedirs(f"{data}/{part}")
    for i in range(3):
        Image.fromarray(np.zeros((20, 20), np.uint8)).save(f"{data}/{part}/{i}.png")
x = load_folder(f"{data}/images")
y = load_folder(f"{data}/masks")
print("Loaded", x.shape, y.shape)
