import keras

inputs = keras.Input((16, 16, 1))
decoded = keras.layers.Conv2D(4, 3, padding="same")(inputs)
outputs = keras.layers.Conv2D(1, 1)(decodded)
