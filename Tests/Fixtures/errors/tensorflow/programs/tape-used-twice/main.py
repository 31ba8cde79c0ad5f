import keras
import tensorflow as tf
from model import build
from train import step

x = tf.random.uniform((2, 16, 16, 1))
y = tf.cast(x > 0.5, tf.float32)
print(step(build(), keras.optimizers.SGD(1e-4), keras.optimizers.SGD(1e-2), x, y))
