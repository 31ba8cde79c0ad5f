import tensorflow as tf
from tensorflow.keras import layers, models


def build_model(size=64):
    inputs = layers.Input(shape=(size, size, 3))
    e1 = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    p1 = layers.MaxPooling2D((2, 2))(e1)
    b = layers.Conv2D(16, 3, padding="same", activation="relu")(p1)
    up = tf.image.resize(b, (size, size), method="bilinear")
    d1 = layers.Concatenate(axis=-1)([up, e1])
    d1 = layers.Conv2D(8, 3, padding="same", activation="relu")(d1)
    return models.Model(inputs=[inputs], outputs=[layers.Conv2D(1, 1, activation="sigmoid")(d1)])
