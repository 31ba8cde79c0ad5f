import tensorflow as tf

def dice_loss(y_true, y_pred):
    y_true = tf.cast(y_true, tf.int32)
    overlap = tf.reduce_sum(y_true * y_pred)
    return 1 - 2 * overlap / tf.reduce_sum(y_pred)
