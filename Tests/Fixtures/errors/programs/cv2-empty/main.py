import cv2
image = cv2.imread("/data/images/none.png")
cv2.resize(image, (8, 8))
