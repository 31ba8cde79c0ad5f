import keras
from keras import layers


def unet_multiclass(size, classes):
    i = keras.Input((size, size, 1))
    e = layers.Conv2D(8, 3, padding="same", activation="relu")(i)
    b = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.MaxPooling2D()(e))
    d = layers.Concatenate()([layers.UpSampling2D()(b), e])
    return keras.Model(i, layers.Conv2D(classes, 1)(d))
