import tensorflow as tf

def score(masks):
    if masks.shape[0] and tf.reduce_sum(masks) > 0:
        return 1.0
    return 0.0
