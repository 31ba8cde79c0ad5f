import cv2


def save_overlay(image, mask, path, alpha=0.4):
    overlay = cv2.addWeighted(image, 1 - alpha, mask, alpha, 0)
    cv2.imwrite(path, overlay)
