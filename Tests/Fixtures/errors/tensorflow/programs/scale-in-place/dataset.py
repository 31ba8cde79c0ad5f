import cv2
import numpy as np


def load_image(path, size):
    img = cv2.imread(path, cv2.IMREAD_COLOR)
    img = cv2.cvtColor(img, cv2.COLOR_BGR2RGB)
    img = cv2.resize(img, (size, size))
    img /= 255.0
    return img


def load_all(paths, size=64):
    return np.stack([load_image(p, size) for p in paths])
