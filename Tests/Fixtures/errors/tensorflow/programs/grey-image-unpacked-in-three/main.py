import os, tempfile
import cv2
import numpy as np
from dataset import pad_to_multiple

path = os.path.join(tempfile.mkdtemp(), "slice.png")
cv2.imwrite(path, np.random.randint(0, 255, (50, 60), dtype=np.uint8))
print(pad_to_multiple(path).shape)
