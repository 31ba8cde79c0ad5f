import keras
import tensorflow as tf
from keras import layers

def build(size=32):
    inputs = layers.Input((size, size, 1))
    c1 = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    p1 = layers.MaxPooling2D()(c1)
    c2 = layers.Conv2D(8, 3, padding="same", activation="relu")(p1)
    u1 = tf.image.resize(c2, (size, size))
    x = layers.Concatenate()([u1, c1])
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
