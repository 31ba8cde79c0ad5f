import keras
from keras import layers

def build():
    keras.mixed_precision.set_global_policy("mixed_float16")
    x = inputs = layers.Input((16, 16, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
