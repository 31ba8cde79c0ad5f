import cv2
import numpy as np


def boundary(mask):
    _, contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    canvas = np.zeros((*mask.shape, 3), np.uint8)
    return cv2.drawContours(canvas, contours, -1, (0, 255, 0), 1)


mask = np.zeros((40, 40), np.uint8)
cv2.circle(mask, (20, 20), 9, 255, -1)
print(boundary(mask).sum())
