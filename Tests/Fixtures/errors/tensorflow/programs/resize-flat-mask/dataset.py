import os
import numpy as np
import tensorflow as tf
from PIL import Image

def load_pair(image_path, mask_path, size=(32, 32)):
    image = np.array(Image.open(image_path).convert("RGB"), dtype="float32") / 255.0
    mask = np.array(Image.open(mask_path).convert("L"), dtype="float32") / 255.0
    image = tf.image.resize(image, size)
    mask = tf.image.resize(mask, size, method="nearest")
    return image, mask
