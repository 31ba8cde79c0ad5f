import cv2
import numpy as np

def pad_to_multiple(path, multiple=16):
    image = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    height, width, channels = image.shape
    bottom, right = -height % multiple, -width % multiple
    return cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REFLECT)
