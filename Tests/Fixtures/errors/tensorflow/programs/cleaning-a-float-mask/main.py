import keras
import numpy as np
from train import postprocess

x = np.random.rand(1, 20, 20, 1).astype("float32")
model = keras.Sequential([keras.layers.Input((20, 20, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
prob = model.predict(x, verbose=0)[0, ..., 0]
print(postprocess(prob).sum())
