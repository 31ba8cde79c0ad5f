import os, tempfile
import cv2
import numpy as np
import tensorflow as tf
from dataset import read_grey

path = os.path.join(tempfile.mkdtemp(), "scan.png")
cv2.imwrite(path, np.random.randint(0, 255, (32, 32), dtype=np.uint8))
print(tf.reduce_mean(read_grey(path)))
