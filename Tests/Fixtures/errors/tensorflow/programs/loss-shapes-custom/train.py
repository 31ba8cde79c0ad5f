import tensorflow as tf

def dice_loss(y_true, y_pred):
    y_true, y_pred = tf.constant(y_true), tf.constant(y_pred)
    overlap = tf.reduce_sum(y_true * y_pred)
    return 1 - 2 * overlap / (tf.reduce_sum(y_true) + tf.reduce_sum(y_pred))
