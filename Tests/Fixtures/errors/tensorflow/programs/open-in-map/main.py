import cv2
import tensorflow as tf

def read(path):
    return cv2.imread(path, 0)

tf.data.Dataset.from_tensor_slices(["/data/images/a.png"]).map(read)
