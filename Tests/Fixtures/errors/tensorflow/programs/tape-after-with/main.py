import tensorflow as tf

x = tf.constant(2.0)
with tf.GradientTape() as tape:
    y = x * x
gradient = tape.gradient(y, x)
print(gradient.shape)
