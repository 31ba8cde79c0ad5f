import cv2
import numpy as np

mask = np.zeros((32, 32), dtype=np.int64)
print(cv2.resize(mask, (16, 16)).shape)
