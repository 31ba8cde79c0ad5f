import tensorflow as tf

def area(masks):
    n, h, w = masks.shape
    return tf.reduce_sum(masks) / (n * h * w)
