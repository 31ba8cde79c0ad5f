import keras
from keras import layers

def build_unet(size=16):
    inputs = keras.Input((size, size, 1))
    a = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    b = layers.MaxPooling2D()(a)
    b = layers.Conv2D(8, 3, padding="same", activation="relu")(b)
    c = layers.Conv2DTranspose(4, 2, strides=2)(b)
    c = layers.Concatenate()([c, a])
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(c))
