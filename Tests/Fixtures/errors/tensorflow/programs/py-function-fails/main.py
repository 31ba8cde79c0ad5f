import numpy as np
import tensorflow as tf

def read(path):
    return np.load(path.decode())

data = tf.data.Dataset.from_tensor_slices(["/data/a.npy"])
data = data.map(lambda path: tf.numpy_function(read, [path], tf.float32))
for item in data:
    print(item)
