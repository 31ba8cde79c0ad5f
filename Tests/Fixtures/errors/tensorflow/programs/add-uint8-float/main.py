import tensorflow as tf

image = tf.zeros((4, 4), tf.uint8)
noise = tf.random.normal((4, 4))
mixed = image + noise
