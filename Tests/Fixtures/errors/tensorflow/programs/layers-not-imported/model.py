import keras

def build():
    inputs = keras.Input((16, 16, 1))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    return keras.Model(inputs, x)
