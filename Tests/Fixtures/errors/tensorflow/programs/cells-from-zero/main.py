import os, tempfile
import keras
import numpy as np
from train import write_history

x = np.random.rand(4, 8, 8, 1).astype("float32")
model = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(1, 1)])
model.compile("sgd", "mse")
history = model.fit(x, x, epochs=2, verbose=0)
write_history(history.history, os.path.join(tempfile.mkdtemp(), "loss.xlsx"))
