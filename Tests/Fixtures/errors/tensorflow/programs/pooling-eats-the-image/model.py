import keras
from keras import layers

def build_unet(size=32, depth=5, base=4):
    inputs = layers.Input((size, size, 1))
    x, skips = inputs, []
    for level in range(depth):
        x = layers.Conv2D(base * 2 ** level, 3, activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    outputs = layers.Conv2D(1, 1, activation="sigmoid")(x)
    return keras.Model(inputs, outputs)
