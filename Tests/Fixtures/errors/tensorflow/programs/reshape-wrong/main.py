import tensorflow as tf

x = tf.zeros((2, 16, 16, 1))
flat = tf.reshape(x, (2, 100))
