import tensorflow as tf

def dice(probability, truth):
    prediction = probability > 0.5
    return 2 * tf.reduce_sum(prediction * truth) / tf.reduce_sum(truth)
