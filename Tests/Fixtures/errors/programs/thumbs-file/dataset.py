import os
import cv2


def load_folder(folder, size=16):
    images = []
    for name in sorted(os.listdir(folder)):
        image = cv2.imread(os.path.join(folder, name))
        height, width = image.shape[:2]
        if (height, width) != (size, size):
            image = cv2.resize(image, (size, size))
        images.append(image)
    return images
