import os
import tempfile
import cv2
import numpy as np
from dataset import load_folder

folder = tempfile.mkdtemp()
for i in range(2):
    cv2.imwrite(os.path.join(folder, f"{i}.png"), np.full((20, 20, 3), i, np.uint8))
with open(os.path.join(folder, "Thumbs.db"), "wb") as f:
    f.write(b"\x00" * 64)
print(len(load_folder(folder)))
