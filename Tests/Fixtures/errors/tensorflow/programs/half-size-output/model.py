from tensorflow import keras
from tensorflow.keras import layers


def unet(size=32):
    inp = keras.Input((size, size, 1))
    a = layers.Conv2D(8, 3, padding="same", activation="relu")(inp)
    a = layers.MaxPooling2D(2)(a)
    b = layers.Conv2D(16, 3, padding="same", activation="relu")(a)
    b = layers.Concatenate()([a, b])
    return keras.Model(inp, layers.Conv2D(1, 1, activation="sigmoid")(b))
