import numpy as np
import tensorflow as tf
from PIL import Image

def read(path):
    array = np.array(Image.open(path.numpy()))
    return array / 255

tf.data.Dataset.from_tensor_slices(["/data/images/a.png"]).map(read)
