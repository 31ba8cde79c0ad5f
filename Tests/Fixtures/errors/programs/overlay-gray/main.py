import os
import tempfile
import cv2
import numpy as np
from visualize import save_overlay

folder = tempfile.mkdtemp()
image = np.full((48, 48, 3), 120, np.uint8)
mask = np.zeros((48, 48), np.uint8)
mask[10:30, 10:30] = 255
save_overlay(image, mask, os.path.join(folder, "overlay.png"))
print(os.listdir(folder))
