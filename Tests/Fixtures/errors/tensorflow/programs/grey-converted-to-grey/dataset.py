import cv2
import numpy as np

def read_grey(path):
    image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return grey.astype(np.float32)[..., None] / 255.0
