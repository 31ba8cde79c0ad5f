import tensorflow as tf
from model import build
from train import step

x = tf.random.uniform((2, 16, 16, 1))
loss, grads = step(build(), x, tf.cast(x > 0.5, tf.float32))
print(float(loss))
