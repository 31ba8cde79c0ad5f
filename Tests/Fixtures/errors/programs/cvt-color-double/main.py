import cv2
import numpy as np


def preprocess(image):
    image = image / 255.0
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.resize(gray, (32, 32))


frames = [np.full((64, 64, 3), v, np.uint8) for v in (10, 120, 240)]
processed = [preprocess(f) for f in frames]
print(len(processed), processed[0].shape)
