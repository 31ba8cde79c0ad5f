import keras
import numpy as np

layer = keras.layers.Conv2D(4, 3)
layer(np.zeros((16, 16), "float32"))
