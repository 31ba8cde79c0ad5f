import tensorflow as tf


def soft_dice(y_true, y_pred):
    num = 2.0 * tf.reduce_sum(y_true * y_pred) + 1.0
    return 1.0 - num / (tf.reduce_sum(y_true) + tf.reduce_sum(y_pred) + 1.0)


def get_loss(name):
    bce = tf.keras.losses.BinaryCrossentropy()
    if name == "bce":
        return bce
    if name == "dice":
        return soft_dice
    if name == "bce+dice":
        return lambda t, p: bce(t, p) + soft_dice(t, p)
    raise ValueError(f"Unknown loss function: {name}")
