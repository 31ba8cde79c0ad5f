import keras
import numpy as np
from train import error_map

x = np.random.rand(1, 16, 16, 1).astype("float32")
model = keras.Sequential([keras.layers.Input((16, 16, 1)), keras.layers.Conv2D(1, 1, activation="sigmoid")])
print(error_map(model.predict(x, verbose=0), x > 0.5).sum())
