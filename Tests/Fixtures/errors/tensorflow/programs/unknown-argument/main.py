import keras

layer = keras.layers.Conv2D(4, 3, pading="same")
