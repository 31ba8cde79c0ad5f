import keras

inputs = keras.Input((16, 16, 1))
keras.layers.InstanceNormalization()(inputs)
