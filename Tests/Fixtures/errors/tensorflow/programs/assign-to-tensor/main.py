import tensorflow as tf

mask = tf.zeros((4, 4))
mask[0, 0] = 1.0
