import os, tempfile
import cv2
import numpy as np
from dataset import load_all
import tensorflow as tf

folder = tempfile.mkdtemp()
paths = []
for i in range(2):
    paths.append(os.path.join(folder, f"{i}.png"))
    cv2.imwrite(paths[-1], np.full((50, 60, 3), 17 * i, np.uint8))
X = load_all(paths)
ds = tf.data.Dataset.from_tensor_slices(X).batch(2)
print(len(ds), X.shape, X.max())
