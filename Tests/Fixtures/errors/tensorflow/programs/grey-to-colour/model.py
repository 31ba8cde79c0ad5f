import keras
from keras import layers


def get_model(h, w, c=3):
    inputs = keras.Input(shape=(h, w, c))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    outputs = layers.Conv2D(1, 1, activation="sigmoid")(x)
    return keras.Model(inputs, outputs)
