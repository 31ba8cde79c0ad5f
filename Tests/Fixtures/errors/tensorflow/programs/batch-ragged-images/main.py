import numpy as np
import tensorflow as tf

def pictures():
    yield np.zeros((16, 16, 1), "float32")
    yield np.zeros((16, 20, 1), "float32")

data = tf.data.Dataset.from_generator(pictures, output_signature=tf.TensorSpec((None, None, 1), tf.float32)).batch(2)
for images in data:
    print(images.shape)
