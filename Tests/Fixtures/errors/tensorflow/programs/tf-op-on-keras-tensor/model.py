import keras
import tensorflow as tf

def build():
    inputs = keras.Input((16, 16, 1))
    small = keras.layers.MaxPooling2D()(inputs)
    large = tf.image.resize(small, (16, 16))
    return keras.Model(inputs, large)
