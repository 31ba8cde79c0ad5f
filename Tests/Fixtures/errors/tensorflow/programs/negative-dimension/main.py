import keras

inputs = keras.Input((8, 8, 1))
x = keras.layers.MaxPooling2D()(inputs)
x = keras.layers.Conv2D(4, 7)(x)
keras.Model(inputs, x)
